{
  # What is compiled for which processor: binding/ for any, so that it can say what one lacks; the
  # loops for AVX2; what avx512.cc includes for AVX-512. They are linked in this order, and of an inline function
  # that several have the linker keeps the first.
  "variables": {
    "avx2": ["-march=x86-64-v3"],
    "avx512": ["-march=x86-64-v3", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"]
  },
  "target_defaults": {
    "include_dirs": ["."],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
    "cflags_cc": ["-std=c++17", "-O3", "-fPIC", "-fexceptions", "-fopenmp", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra", "-Wno-unused-parameter"],
    "conditions": [
      ["OS=='mac'", {
        "xcode_settings": {
          "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
          "GCC_ENABLE_CPP_RTTI": "YES",
          "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
          "OTHER_CPLUSPLUSFLAGS": ["-Xpreprocessor", "-fopenmp", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-I/opt/homebrew/include", "-I/opt/homebrew/opt/libomp/include"]
        }
      }]
    ]
  },
  "targets": [
    {
      "target_name": "lrscope",
      "dependencies": ["loops", "loops_avx512"],
      "sources": ["<!@(node list-sources.mjs binding)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "libraries": ["-ldnnl", "-lturbojpeg", "-fopenmp"],
      "conditions": [
        ["OS=='mac'", {
          "xcode_settings": {
            "OTHER_LDFLAGS": ["-L/opt/homebrew/lib", "-L/opt/homebrew/opt/libomp/lib", "-lomp"]
          },
          "libraries!": ["-fopenmp"]
        }]
      ]
    },
    {
      "target_name": "loops",
      "type": "static_library",
      "sources": ["<!@(node list-sources.mjs loops)"],
      "conditions": [["target_arch=='x64'", { "cflags_cc": ["<@(avx2)"] }]]
    },
    {
      "target_name": "loops_avx512",
      "type": "static_library",
      "sources": ["<!@(node list-sources.mjs avx512)"],
      "conditions": [["target_arch=='x64' and OS!='mac'", { "cflags_cc": ["<@(avx512)"] }]]
    }
  ]
}
