// SPDX-License-Identifier: Apache-2.0
#include <switchgear/detail/validation.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/operation_key.hpp>
#include <switchgear/operations.hpp>

#include "find_breaker.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <utility>

namespace switchgear::inline v1 {
namespace {

struct named_type {
  const char* name;
  retry_options operations_options::* retry;
};
constexpr std::array<named_type, 4> named_types{{{"worker", &operations_options::worker},
                                                 {"storage", &operations_options::storage},
                                                 {"scheduler", &operations_options::scheduler},
                                                 {"api", &operations_options::api}}};

}  // namespace

std::vector<problem> operations_options::validate() const {
  std::vector<problem> all;
  const auto append = [&all](std::vector<problem> more, const std::string& prefix) {
    for (problem& p : more) {
      p.key = prefix + "." + p.key;
      all.push_back(std::move(p));
    }
  };
  for (const named_type& t : named_types) append((this->*t.retry).validate(), t.name);
  for (const auto& [name, options] : others) {
    bool known = name.empty();
    for (const named_type& t : named_types) known = known || name == t.name;
    if (known) {
      all.push_back({"others", name, "any other name",
                     name.empty() ? "a type of operations needs a name" : "this type has a member of its own"});
    }
    append(options.validate(), "others." + name);
  }
  if (breaker) append(breaker->validate(), "breaker");
  if (breaker && !breaker_keys.empty()) all.push_back(detail::two_configurations());
  return all;
}

namespace detail {

struct operation_core {
  operation_core(registry& r, operations_options o, clock& source) : breakers(r), options(std::move(o)) {
    require_no(options.validate());
    for (const named_type& t : named_types) add(t.name, options.*t.retry, source);
    for (const auto& [name, retry_with] : options.others) add(name, retry_with, source);
  }

  void add(const std::string& type, retry_options o, clock& source) {
    if (o.name == retry_options{}.name) o.name = type;
    policies.emplace(type, retry(std::move(o), source));
  }

  [[nodiscard]] const retry& policy(std::string_view type) const {
    if (const auto at = policies.find(type); at != policies.end()) return at->second;
    std::string known;
    for (const auto& [name, unused] : policies) known += (known.empty() ? "" : ", ") + name;
    throw config_error({{"type", std::string(type), known, "there is no such type of operations"}});
  }

  [[nodiscard]] bool breakers_work() const { return options.breakers && breakers.enabled(); }

  [[nodiscard]] breaker_handle find(std::string_view key, const classifier& rules) const {
    return find_breaker(breakers, key, {options.breaker, options.breaker_keys, rules});
  }

  registry& breakers;
  const operations_options options;
  std::map<std::string, retry, std::less<>> policies;
};

struct operation_slot::state {
  state(std::shared_ptr<const operation_core> c, std::string_view type, std::string_view function)
      : core(std::move(c)), policy(core->policy(type)), key(operation_key(type, function)) {}

  const std::shared_ptr<const operation_core> core;
  const retry& policy;  ///< of the core
  const std::string key;
  std::atomic<bool> ready{false};
  std::mutex mutex;       ///< of storing the handle; never held while foreign code runs
  breaker_handle breaker;  ///< never changes again once ready
};

operation_slot::operation_slot(std::shared_ptr<const operation_core> core, std::string_view type, std::string_view function)
    : state_(std::make_unique<state>(std::move(core), type, function)) {}
operation_slot::~operation_slot() = default;

const retry& operation_slot::policy() const noexcept { return state_->policy; }
const std::string& operation_slot::key() const noexcept { return state_->key; }

breaker_handle operation_slot::breaker() const {
  state& s = *state_;
  if (!s.core->breakers_work()) return {};
  // Acquire: pairs with the release below, so that whoever sees it ready sees the handle.
  if (s.ready.load(std::memory_order_acquire)) return s.breaker;
  // Without the lock: making a breaker calls code of the user (read_variable, on_report), which may call this operation.
  breaker_handle found = s.core->find(s.key, s.policy.options().when);
  // What a full registry hands out is not listed and guards nothing. It is not kept: there may be room at the next call.
  if (s.core->breakers.find(s.key) != found) return found;
  const std::lock_guard lock(s.mutex);
  // Relaxed: the mutex orders it.
  if (!s.ready.load(std::memory_order_relaxed)) {
    s.breaker = std::move(found);
    s.ready.store(true, std::memory_order_release);
  }
  return s.breaker;
}

}  // namespace detail

operations::operations(registry& breakers, operations_options options, clock& source)
    : core_(std::make_shared<detail::operation_core>(breakers, std::move(options), source)) {}

const retry& operations::policy(std::string_view type) const { return core_->policy(type); }
bool operations::breakers_work() const { return core_->breakers_work(); }
const operations_options& operations::options() const noexcept { return core_->options; }

breaker_handle operations::find_breaker(std::string_view type, std::string_view function) const {
  if (!core_->breakers_work()) return {};
  return core_->find(operation_key(type, function), core_->policy(type).options().when);
}

std::shared_ptr<const detail::operation_slot> operations::make_slot(std::string_view type, std::string_view function) const {
  return std::make_shared<detail::operation_slot>(core_, type, function);
}

}  // namespace switchgear::inline v1
