// Takes whole lists of work from JavaScript, and gives back what became of them.
#include "batch.h"

#include "addon.h"
#include "arguments.h"
#include "files.h"
#include "handles.h"
#include "jobs.h"
#include "values.h"

namespace netloom {
namespace {

// [path, value], or the messages themselves.
Step toStep(Arguments& arguments, Napi::Value value) {
  if (!value.IsArray()) return {arguments.toBytes(value), {}, {}};
  auto pair = value.As<Napi::Array>();
  return {{}, arguments.toText(arguments.element(pair, 0)), arguments.toText(arguments.element(pair, 1))};
}

// The path of a new namespace, a namespace, or [namespace, path]: one without a name that gets it.
void readTarget(Arguments& arguments, Napi::Value target, Job* job) {
  if (target.IsArray()) {
    auto pair = target.As<Napi::Array>();
    job->target = arguments.toNamespace(arguments.element(pair, 0));
    job->path = arguments.toText(arguments.element(pair, 1));
  } else if (target.IsString()) {
    job->path = arguments.toText(target);
  } else {
    job->target = arguments.toNamespace(target);
  }
}

bool isTelling(Arguments& arguments, Napi::Value step) {
  return step.IsArray() && arguments.element(step.As<Napi::Array>(), 0).IsObject();
}

void readTelling(Arguments& arguments, Napi::Array pair, Job* job) {
  job->elsewhere = arguments.toNamespace(arguments.element(pair, 0));
  job->telling = arguments.toBytes(arguments.element(pair, 1));
}

// [target, ...steps]; what another namespace is told of it is written among them as [namespace, message].
Job toJob(Arguments& arguments, Napi::Array parts) {
  Job job;
  readTarget(arguments, arguments.element(parts, 0), &job);
  for (uint32_t index = 1; index < parts.Length() && !arguments.failed(); ++index) {
    Napi::Value step = arguments.element(parts, index);
    if (isTelling(arguments, step)) readTelling(arguments, step.As<Napi::Array>(), &job);
    else job.steps.push_back(toStep(arguments, step));
  }
  return job;
}

napi_value toObject(napi_env env, const Performed& performed) {
  napi_value made = nullptr;
  napi_create_array_with_length(env, performed.made.size(), &made);
  for (uint32_t index = 0; index < performed.made.size(); ++index) {
    napi_value inode = nullptr;
    napi_create_double(env, static_cast<double>(performed.made[index].inode), &inode);
    napi_set_element(env, made, index, inode);
  }
  Record record(env);
  record.set("done", static_cast<double>(performed.done)).set("made", made);
  if (performed.stopped) {
    record.set("step", performed.entered ? static_cast<double>(performed.step) : -1.0);
    if (performed.failure) record.set("error", makeError(env, performed.failure));
    else record.set("answer", toArray(env, performed.answer));
  }
  return record.object();
}

}  // namespace

Napi::Value Perform(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Napi::Array given = arguments.array(info[0]);
  std::vector<Job> jobs;
  jobs.reserve(given.Length());
  for (uint32_t index = 0; index < given.Length() && !arguments.failed(); ++index)
    jobs.push_back(toJob(arguments, arguments.array(arguments.element(given, index))));
  std::string content = arguments.text(1);
  int protocol = arguments.integer(2);
  if (arguments.failed()) return {};
  return Addon::of(info.Env())
      .run(info.Env(), nullptr, [jobs = std::move(jobs), content, protocol](Worker& worker) mutable {
        auto performed = std::make_shared<Performed>(perform(worker, std::move(jobs), content, protocol));
        return Outcome{{}, [performed](Napi::Env env) { return toObject(env, *performed); }};
      });
}

Napi::Value CreateNamespaces(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  int count = arguments.integer(0);
  if (arguments.failed()) return {};
  return Addon::of(info.Env()).run(info.Env(), nullptr, [count](Worker& worker) {
    auto made = std::make_shared<std::vector<NamespacePointer>>();
    for (int index = 0; index < count && !worker.stopping() && !worker.lost(); ++index) {
      NamespacePointer ns;
      // Whoever makes one with a name meets the same failure, and says of what.
      if (createNamespace(worker, {}, {}, &ns)) break;
      made->push_back(std::move(ns));
    }
    return Outcome{{}, [made](Napi::Env env) {
                     napi_value handles = nullptr;
                     napi_create_array_with_length(env, made->size(), &handles);
                     for (uint32_t index = 0; index < made->size(); ++index)
                       napi_set_element(env, handles, index, NamespaceHandle::wrap(env, std::move((*made)[index])));
                     return handles;
                   }};
  });
}

Napi::Value RemoveNamespaces(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::vector<std::string> paths = arguments.toTexts(info[0]);
  std::vector<Name> names;
  Napi::Array inodes = arguments.array(info[1]);
  for (uint32_t index = 0; index < paths.size() && !arguments.failed(); ++index)
    names.push_back({paths[index], static_cast<uint64_t>(arguments.toDouble(arguments.element(inodes, index)))});
  auto device = static_cast<uint64_t>(arguments.toDouble(info[2]));
  if (arguments.failed()) return {};
  return Addon::of(info.Env()).run(info.Env(), nullptr, [names = std::move(names), device](Worker& worker) {
    auto failures = std::make_shared<std::vector<Failure>>(removeNames(worker, names, device));
    return Outcome{{}, [failures](Napi::Env env) {
                     napi_value errors = nullptr;
                     napi_create_array_with_length(env, failures->size(), &errors);
                     for (uint32_t index = 0; index < failures->size(); ++index) {
                       if ((*failures)[index]) napi_set_element(env, errors, index, makeError(env, (*failures)[index]));
                     }
                     return errors;
                   }};
  });
}

Napi::Value RemoveEntries(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  std::vector<std::string> paths = arguments.toTexts(info[0]);
  std::vector<std::string> targets = arguments.toTexts(info[1]);
  std::vector<Entry> entries;
  for (size_t index = 0; index < paths.size() && index < targets.size(); ++index)
    entries.push_back({std::move(paths[index]), std::move(targets[index])});
  if (arguments.failed()) return {};
  return Addon::of(info.Env()).run(info.Env(), nullptr, [entries = std::move(entries)](Worker&) {
    auto removed = std::make_shared<std::vector<bool>>();
    Failure failure = removeEntries(entries, removed.get());
    return Outcome{failure, [removed](Napi::Env env) {
                     napi_value flags = nullptr;
                     napi_create_array_with_length(env, removed->size(), &flags);
                     for (uint32_t index = 0; index < removed->size(); ++index) {
                       napi_value flag = nullptr;
                       napi_get_boolean(env, (*removed)[index], &flag);
                       napi_set_element(env, flags, index, flag);
                     }
                     return flags;
                   }};
  });
}

}  // namespace netloom
