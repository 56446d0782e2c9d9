{
  'targets': [
    {
      'target_name': 'netloom',
      'sources': ['<!@(cat native/sources.txt)'],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=9', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags_cc': [
        '-std=c++17', '-O2', '-fno-exceptions', '-frtti', '-fvisibility=hidden',
        '-Wall', '-Wextra', '-Werror=return-type', '-Werror=format', '-Werror=uninitialized', '-Werror=implicit-fallthrough'
      ],
      'ldflags': ['-Wl,--version-script=<(module_root_dir)/native/exports.map', '-Wl,-z,relro,-z,now']
    }
  ]
}
