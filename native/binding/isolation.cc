#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/exports.h"

namespace lrscope {

namespace {

// What 1,024 threads of the decoder may take is half of it.
constexpr int64_t kMostBytes = int64_t{1} << 42;

// Throws what errno says.
[[noreturn]] void fail(const char* subject) { throw SystemRefusal(subject, errno); }

// Memory that has a descriptor, and no name by which another process could find it.
int anonymousFile() {
#ifdef __linux__
  return memfd_create("lrscope-pixels", MFD_CLOEXEC | MFD_ALLOW_SEALING);
#else
  char name[32];
  std::snprintf(name, sizeof name, "/lrscope-%d", static_cast<int>(getpid()));
  const int descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (descriptor >= 0) shm_unlink(name);
  return descriptor;
#endif
}

// createSharedMemory(bytes): a descriptor to hand to a child and to close; zeros.
Napi::Value createSharedMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int64_t bytes = readInteger(info[0], "bytes", 1, kMostBytes);
  const int descriptor = anonymousFile();
  if (descriptor < 0) fail("shared memory cannot be made");
  if (ftruncate(descriptor, bytes) != 0) {
    const SystemRefusal refusal("shared memory cannot be made", errno);
    close(descriptor);
    throw refusal;
  }
#ifdef __linux__
  // A child gone astray cannot take the memory away from under its parent.
  fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
#endif
  return Napi::Number::New(env, descriptor);
}

// mapSharedMemory(descriptor, bytes): the memory itself, until it is collected.
Napi::Value mapSharedMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int descriptor = static_cast<int>(readInteger(info[0], "descriptor", 0, 1 << 30));
  const size_t bytes = static_cast<size_t>(readInteger(info[1], "bytes", 1, kMostBytes));
  struct stat status;
  if (fstat(descriptor, &status) != 0) fail("shared memory cannot be mapped");
  if (static_cast<size_t>(status.st_size) < bytes)
    throw SystemRefusal("shared memory cannot be mapped", EINVAL);
  void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (at == MAP_FAILED) fail("shared memory cannot be mapped");
  // Whoever writes into it from another thread keeps it alive: see typed_arrays.h.
  using Keeper = std::shared_ptr<char>;
  auto keeper = std::make_unique<Keeper>(static_cast<char*>(at),
                                         [bytes](char* data) { munmap(data, bytes); });
  Environment::of(env)->lend(*keeper, bytes);
  const Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(
      env, at, bytes, [](Napi::Env, void*, Keeper* held) { delete held; }, keeper.get());
  keeper.release();
  return Napi::Uint8Array::New(env, bytes, buffer, 0);
}

#ifdef __linux__
// Bytes of private writable memory that the process has now: what RLIMIT_DATA counts. 0 where
// unknown.
rlim_t dataBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (!file) return 0;
  unsigned long pages = 0;
  const int found = std::fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages);
  std::fclose(file);
  return found == 1 ? static_cast<rlim_t>(pages) * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) : 0;
}
#endif

// limitMemory(bytes): at most so much beyond what the process has now; false where the system
// cannot.
Napi::Value limitMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int64_t bytes = readInteger(info[0], "bytes", 1, kMostBytes);
  bool limited = false;
#ifdef __linux__
  const rlim_t present = dataBytes();
  struct rlimit limit;
  if (present > 0 && getrlimit(RLIMIT_DATA, &limit) == 0) {
    const rlim_t wanted = present + static_cast<rlim_t>(bytes);
    if (wanted < limit.rlim_cur) {
      limit.rlim_cur = wanted;
      limited = setrlimit(RLIMIT_DATA, &limit) == 0;
    }
  }
#else
  (void)bytes;
#endif
  return Napi::Boolean::New(env, limited);
}

// limitProcessorTime(seconds): the system ends the process (SIGXCPU) once it has used so many in
// all.
Napi::Value limitProcessorTime(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const rlim_t seconds = static_cast<rlim_t>(readInteger(info[0], "seconds", 1, 1 << 30));
  struct rlimit limit;
  if (getrlimit(RLIMIT_CPU, &limit) == 0 && seconds < limit.rlim_max) {
    limit.rlim_cur = seconds;
    setrlimit(RLIMIT_CPU, &limit);
  }
  return env.Undefined();
}

// canReserve(bytes): whether the system and the limits would give the process so much more now.
Napi::Value canReserve(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const size_t bytes = static_cast<size_t>(readInteger(info[0], "bytes", 1, kMostBytes));
  void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at != MAP_FAILED) munmap(at, bytes);
  return Napi::Boolean::New(env, at != MAP_FAILED);
}

}  // namespace

void exportIsolation(Napi::Object exports) {
  exportFunction(exports, "createSharedMemory", createSharedMemory);
  exportFunction(exports, "mapSharedMemory", mapSharedMemory);
  exportFunction(exports, "limitMemory", limitMemory);
  exportFunction(exports, "limitProcessorTime", limitProcessorTime);
  exportFunction(exports, "canReserve", canReserve);
}

}  // namespace lrscope
