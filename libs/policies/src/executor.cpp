// SPDX-License-Identifier: Apache-2.0
#include <switchgear/clock.hpp>
#include <switchgear/config.hpp>
#include <switchgear/executor.hpp>
#include <switchgear/thread_pool.hpp>

namespace switchgear::inline v1 {
namespace {

std::string full_text(const std::string& policy, const executor& where) {
  std::string text = policy + ": ";
  if (where.closing().stop_requested()) return text + where.name() + " is about to end";
  text += where.name() + " has no room";
  if (const auto most = where.capacity()) text += " for more than " + std::to_string(*most) + " calls";
  return text;
}

std::string waited_text(const std::string& policy, const std::string& executor_name, std::chrono::nanoseconds waited) {
  return policy + ": " + executor_name + " had no thread within " + format_duration(waited);
}

}  // namespace

executor_full_error::executor_full_error(std::string policy, const executor& where)
    : rejected_error(full_text(policy, where)), executor_name_(where.name()), capacity_(where.capacity()) {}

executor_full_error::executor_full_error(std::string policy, std::string executor_name, std::optional<std::size_t> capacity,
                                         std::chrono::nanoseconds waited)
    : rejected_error(waited_text(policy, executor_name, waited)), executor_name_(std::move(executor_name)), capacity_(capacity) {}

executor& default_executor() {
  static thread_pool pool({.name = "default_executor", .threads = 32, .max_queue = 1000});
  return pool;
}

}  // namespace switchgear::inline v1
