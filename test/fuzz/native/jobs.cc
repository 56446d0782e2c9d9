// Lists of steps, and answers of any form to them: it ends at the first refusal, and says where.
#include "jobs.h"

#include "kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  FuzzedDataProvider data(input, size);
  fuzzed::Kernel kernel(data);
  kernel.expect(1);
  std::vector<netloom::Job> jobs(data.ConsumeIntegralInRange<size_t>(0, 3));
  std::vector<size_t> lengths;
  for (netloom::Job& job : jobs) {
    job.target = fuzzed::home();
    job.steps.resize(data.ConsumeIntegralInRange<size_t>(0, 3));
    lengths.push_back(job.steps.size());
    if (data.ConsumeBool()) {
      job.elsewhere = fuzzed::home();
      job.telling = fuzzed::bytes(data, 8);
    }
    for (netloom::Step& step : job.steps) {
      // Without messages it would be a setting, and written to this machine.
      step.messages = fuzzed::messages(data, 1, 3);
      if (step.messages.empty()) step.messages = {0};
    }
  }
  netloom::Performed performed = netloom::perform(fuzzed::worker(), std::move(jobs), "", 0);
  fuzzed::promise(performed.done <= lengths.size(), "no more is done than was asked");
  fuzzed::promise(performed.made.empty(), "nothing is made that nobody asked for");
  fuzzed::promise(performed.stopped == (performed.done < lengths.size()), "it stops where not everything is done");
  if (performed.stopped) {
    fuzzed::promise(performed.entered && performed.step < lengths[performed.done], "it says at which step it stopped");
    fuzzed::promise(performed.failure || !performed.answer.empty(), "it says why it stopped");
  }
  return 0;
}
