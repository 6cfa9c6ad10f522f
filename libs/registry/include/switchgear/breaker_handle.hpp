// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/detail/breaker_record.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace switchgear::inline v1 {

namespace detail {
class registry_core;
}

/// Holds a breaker of a registry. Two words, counted: the breaker lives while anybody holds it, whether the registry still
/// lists it or not (remove, clear), and after the registry itself has gone. Keep the handle rather than the name: a lookup
/// costs more than the call.
///
///     auto researcher = circuits.for_agent("researcher", "llm");
///     researcher->call([&] { return ask(question); });
///
/// Empty when made by default, moved from, or not found; to use an empty one is undefined. A permit, a guard and a decorated
/// function refer to the breaker and hold nothing: keep a handle for as long as them.
///
/// Satisfies the concept `breaker`. Thread safety: that of std::shared_ptr.
class breaker_handle {
 public:
  breaker_handle() noexcept = default;
  breaker_handle(const breaker_handle& other) noexcept : record_(other.record_), breaker_(other.breaker_) {
    if (record_ != nullptr) record_->retain();
  }
  breaker_handle(breaker_handle&& other) noexcept
      : record_(std::exchange(other.record_, nullptr)), breaker_(std::exchange(other.breaker_, nullptr)) {}
  breaker_handle& operator=(breaker_handle other) noexcept {
    std::swap(record_, other.record_);
    std::swap(breaker_, other.breaker_);
    return *this;
  }
  ~breaker_handle() {
    if (record_ != nullptr) record_->release();
  }

  [[nodiscard]] explicit operator bool() const noexcept { return breaker_ != nullptr; }
  [[nodiscard]] circuit_breaker* operator->() const noexcept { return breaker_; }
  [[nodiscard]] circuit_breaker& operator*() const noexcept { return *breaker_; }
  [[nodiscard]] circuit_breaker* get() const noexcept { return breaker_; }

  /// The same hold as a shared pointer, for code that knows nothing of registries: `any_breaker(handle.share())`. Allocates.
  /// Null when the handle is empty.
  [[nodiscard]] std::shared_ptr<circuit_breaker> share() const {
    if (breaker_ == nullptr) return nullptr;
    auto held = std::make_shared<breaker_handle>(*this);
    return {std::move(held), breaker_};
  }

  /// Whether both hold the same breaker; one that was removed and made again under its name is another.
  friend bool operator==(const breaker_handle& a, const breaker_handle& b) noexcept { return a.breaker_ == b.breaker_; }

  // --- what every breaker offers, see circuit_breaker ---

  [[nodiscard]] const std::string& name() const noexcept { return breaker_->name(); }
  [[nodiscard]] permit try_acquire() noexcept { return breaker_->try_acquire(); }
  template <class F>
  detail::result_of<F> call(F&& f, const call_context& context = {}) {
    return breaker_->call(std::forward<F>(f), context);
  }
  [[nodiscard]] switchgear::state state() const noexcept { return breaker_->state(); }
  [[nodiscard]] switchgear::snapshot snapshot() const { return breaker_->snapshot(); }
  void trip(std::string reason = {}) { breaker_->trip(std::move(reason)); }
  void force_open(std::string reason = {}, std::string owner = {}, std::optional<std::chrono::nanoseconds> ttl = {}) {
    breaker_->force_open(std::move(reason), std::move(owner), ttl);
  }
  void disable(std::string reason = {}, std::string owner = {}, std::optional<std::chrono::nanoseconds> ttl = {}) {
    breaker_->disable(std::move(reason), std::move(owner), ttl);
  }
  void release(std::string reason = {}) { breaker_->release(std::move(reason)); }
  void reset(std::string reason = {}) { breaker_->reset(std::move(reason)); }
  void reset_metrics() noexcept { breaker_->reset_metrics(); }

 private:
  friend detail::registry_core;
  /// Takes over a reference that was taken already.
  breaker_handle(detail::breaker_record& record, circuit_breaker& breaker) noexcept : record_(&record), breaker_(&breaker) {}

  detail::breaker_record* record_ = nullptr;
  circuit_breaker* breaker_ = nullptr;
};

}  // namespace switchgear::inline v1
