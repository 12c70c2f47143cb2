{
  "targets": [
    {
      "target_name": "lrscope",
      "sources": ["<!@(node list-sources.mjs)"],
      "include_dirs": [".", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags_cc": ["-std=c++17", "-O3", "-fexceptions", "-fopenmp", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra", "-Wno-unused-parameter"],
      "libraries": ["-ldnnl", "-lturbojpeg", "-fopenmp"],
      "conditions": [
        ["target_arch=='x64'", { "cflags_cc": ["-march=x86-64-v3"] }],
        ["OS=='mac'", {
          "xcode_settings": {
            "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "OTHER_CPLUSPLUSFLAGS": ["-Xpreprocessor", "-fopenmp", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-I/opt/homebrew/include", "-I/opt/homebrew/opt/libomp/include"],
            "OTHER_LDFLAGS": ["-L/opt/homebrew/lib", "-L/opt/homebrew/opt/libomp/lib", "-lomp"]
          },
          "libraries!": ["-fopenmp"]
        }]
      ]
    }
  ]
}
