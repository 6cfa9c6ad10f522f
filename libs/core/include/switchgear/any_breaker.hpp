// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/breaker.hpp>

#include <memory>
#include <utility>

namespace switchgear::inline v1 {

/// A handle to a breaker of any kind, as cheap to copy as a shared pointer. Empty only when moved from.
///
/// Thread safety: that of the breaker; handles themselves are like pointers.
class any_breaker {
 public:
  /// Shares a breaker.
  template <breaker B>
  explicit any_breaker(std::shared_ptr<B> b) : self_(std::make_shared<model<B>>(std::move(b))) {}
  /// Refers to a breaker that outlives the handle.
  template <breaker B>
    requires(!std::same_as<B, any_breaker>)
  explicit any_breaker(B& b) : any_breaker(std::shared_ptr<B>(std::shared_ptr<void>(), &b)) {}

  [[nodiscard]] std::string_view name() const { return self_->name(); }
  [[nodiscard]] permit try_acquire() noexcept { return self_->try_acquire({}); }
  /// The same; where the breaker can, the event of a rejection carries the correlation id.
  [[nodiscard]] permit try_acquire(const call_context& context) noexcept { return self_->try_acquire(context); }
  [[nodiscard]] switchgear::state state() const { return self_->state(); }
  [[nodiscard]] switchgear::snapshot snapshot() const { return self_->snapshot(); }

  /// As circuit_breaker::call.
  template <class F>
  detail::result_of<F> call(F&& f, const call_context& context = {}) {
    return try_acquire(context).run(std::forward<F>(f), context);
  }

  void trip(std::string reason = {}) { self_->trip(std::move(reason)); }
  void force_open(std::string reason = {}, std::string owner = {}, std::optional<std::chrono::nanoseconds> ttl = {}) {
    self_->force_open(std::move(reason), std::move(owner), ttl);
  }
  void disable(std::string reason = {}, std::string owner = {}, std::optional<std::chrono::nanoseconds> ttl = {}) {
    self_->disable(std::move(reason), std::move(owner), ttl);
  }
  void release(std::string reason = {}) { self_->release(std::move(reason)); }
  void reset(std::string reason = {}) { self_->reset(std::move(reason)); }
  void reset_metrics() { self_->reset_metrics(); }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual std::string_view name() const = 0;
    virtual permit try_acquire(const call_context& context) noexcept = 0;
    virtual switchgear::state state() const = 0;
    virtual switchgear::snapshot snapshot() const = 0;
    virtual void trip(std::string reason) = 0;
    virtual void force_open(std::string reason, std::string owner, std::optional<std::chrono::nanoseconds> ttl) = 0;
    virtual void disable(std::string reason, std::string owner, std::optional<std::chrono::nanoseconds> ttl) = 0;
    virtual void release(std::string reason) = 0;
    virtual void reset(std::string reason) = 0;
    virtual void reset_metrics() = 0;
  };

  template <class B>
  struct model final : interface {
    explicit model(std::shared_ptr<B> b) : target(std::move(b)) {}
    std::string_view name() const override { return target->name(); }
    permit try_acquire(const call_context& context) noexcept override {
      if constexpr (requires { target->try_acquire(context); }) {
        return target->try_acquire(context);
      } else {
        return target->try_acquire();
      }
    }
    switchgear::state state() const override { return target->state(); }
    switchgear::snapshot snapshot() const override { return target->snapshot(); }
    void trip(std::string reason) override { target->trip(std::move(reason)); }
    void force_open(std::string reason, std::string owner, std::optional<std::chrono::nanoseconds> ttl) override {
      target->force_open(std::move(reason), std::move(owner), ttl);
    }
    void disable(std::string reason, std::string owner, std::optional<std::chrono::nanoseconds> ttl) override {
      target->disable(std::move(reason), std::move(owner), ttl);
    }
    void release(std::string reason) override { target->release(std::move(reason)); }
    void reset(std::string reason) override { target->reset(std::move(reason)); }
    void reset_metrics() override { target->reset_metrics(); }
    std::shared_ptr<B> target;
  };

  std::shared_ptr<interface> self_;
};

}  // namespace switchgear::inline v1
