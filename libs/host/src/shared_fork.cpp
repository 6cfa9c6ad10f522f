// SPDX-License-Identifier: Apache-2.0
#include "shared_file.hpp"

#include <algorithm>
#include <pthread.h>

namespace switchgear::inline v1::host {
namespace {

/// All files that this process has mapped. Never destroyed: a fork may come after the destructors of static objects.
struct mapped_files {
  std::mutex mutex;
  std::vector<shared_file*> files;
};

mapped_files& all() {
  static auto* const files = new mapped_files;
  return *files;
}

void prepare() {
  all().mutex.lock();
  for (shared_file* const f : all().files) f->before_fork();
}

void in_parent() {
  for (shared_file* const f : all().files) f->after_fork_in_parent();
  all().mutex.unlock();
}

void in_child() {
  for (shared_file* const f : all().files) f->after_fork_in_child();
  all().mutex.unlock();
}

}  // namespace

void watch_forks(shared_file& f) {
  static const int registered = ::pthread_atfork(prepare, in_parent, in_child);
  (void)registered;
  const std::lock_guard lock(all().mutex);
  all().files.push_back(&f);
}

void stop_watching_forks(shared_file& f) noexcept {
  const std::lock_guard lock(all().mutex);
  std::erase(all().files, &f);
}

}  // namespace switchgear::inline v1::host
