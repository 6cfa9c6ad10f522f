// SPDX-License-Identifier: Apache-2.0
//
// For the thread sanitizer only, which knows pthread_create and pthread_mutex_lock, but not the C11 threads that librdkafka
// is built on: threads that it has not seen begin make it crash, and locks that it does not see make it report races where
// there are none. The names of the C library are taken here and handed on to what the sanitizer knows. glibc's C11 types are
// its POSIX types under other names.
#if defined(__SANITIZE_THREAD__)
#define SWITCHGEAR_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SWITCHGEAR_THREAD_SANITIZER
#endif
#endif

#ifdef SWITCHGEAR_THREAD_SANITIZER
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>

namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

pthread_mutex_t* posix(mtx_t* m) { return reinterpret_cast<pthread_mutex_t*>(m); }
pthread_cond_t* posix(cnd_t* c) { return reinterpret_cast<pthread_cond_t*>(c); }

int result_of(int error) {
  switch (error) {
    case 0: return thrd_success;
    case EBUSY: return thrd_busy;
    case ETIMEDOUT: return thrd_timedout;
    case ENOMEM: return thrd_nomem;
    default: return thrd_error;
  }
}

struct beginning {
  thrd_start_t function;
  void* argument;
};

void* begin(void* what) {
  auto* const from = static_cast<beginning*>(what);
  const beginning now = *from;
  delete from;
  return reinterpret_cast<void*>(static_cast<std::intptr_t>(now.function(now.argument)));
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  return result_of(pthread_create(thread, nullptr, &begin, new beginning{function, argument}));
}
__attribute__((visibility("default"))) int thrd_join(thrd_t thread, int* result) {
  void* ended = nullptr;
  const int error = pthread_join(thread, &ended);
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(ended));
  return result_of(error);
}
__attribute__((visibility("default"))) int thrd_detach(thrd_t thread) { return result_of(pthread_detach(thread)); }

__attribute__((visibility("default"))) int mtx_init(mtx_t* m, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  const int error = pthread_mutex_init(posix(m), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return result_of(error);
}
__attribute__((visibility("default"))) void mtx_destroy(mtx_t* m) { pthread_mutex_destroy(posix(m)); }
__attribute__((visibility("default"))) int mtx_lock(mtx_t* m) { return result_of(pthread_mutex_lock(posix(m))); }
__attribute__((visibility("default"))) int mtx_trylock(mtx_t* m) { return result_of(pthread_mutex_trylock(posix(m))); }
__attribute__((visibility("default"))) int mtx_unlock(mtx_t* m) { return result_of(pthread_mutex_unlock(posix(m))); }

__attribute__((visibility("default"))) int cnd_init(cnd_t* c) { return result_of(pthread_cond_init(posix(c), nullptr)); }
__attribute__((visibility("default"))) void cnd_destroy(cnd_t* c) { pthread_cond_destroy(posix(c)); }
__attribute__((visibility("default"))) int cnd_signal(cnd_t* c) { return result_of(pthread_cond_signal(posix(c))); }
__attribute__((visibility("default"))) int cnd_broadcast(cnd_t* c) { return result_of(pthread_cond_broadcast(posix(c))); }
__attribute__((visibility("default"))) int cnd_wait(cnd_t* c, mtx_t* m) {
  return result_of(pthread_cond_wait(posix(c), posix(m)));
}
__attribute__((visibility("default"))) int cnd_timedwait(cnd_t* c, mtx_t* m, const timespec* until) {
  return result_of(pthread_cond_timedwait(posix(c), posix(m), until));
}

}  // extern "C"
#endif
