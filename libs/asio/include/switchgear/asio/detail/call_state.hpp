// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/answer_stages.hpp>
#include <switchgear/asio/detail/bulkhead_stage.hpp>
#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/asio/detail/guard_stage.hpp>
#include <switchgear/asio/detail/hedge_stage.hpp>
#include <switchgear/asio/detail/limiter_stages.hpp>
#include <switchgear/asio/detail/operation_stage.hpp>
#include <switchgear/asio/detail/retry_stage.hpp>
#include <switchgear/asio/detail/timeout_stage.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1::asio::detail {

template <class Shape, std::size_t I, class Policy>
class stage {
  static_assert(!std::is_same_v<Policy, Policy>,
                "This policy cannot be called asynchronously: its run() calls the rest of the call and waits for it.");
};

/// The handler with what it is called with.
template <class T, class Handler, class Executor>
class completion {
 public:
  using executor_type = Executor;
  using allocator_type = boost::asio::associated_allocator_t<Handler>;

  completion(Handler h, outcome<T> o, boost::asio::executor_work_guard<Executor> work)
      : handler_(std::move(h)), outcome_(std::move(o)), work_(std::move(work)) {}

  [[nodiscard]] executor_type get_executor() const noexcept { return work_.get_executor(); }
  [[nodiscard]] allocator_type get_allocator() const noexcept { return boost::asio::get_associated_allocator(handler_); }

  void operator()() {
    // Here and not sooner: the caller may emit his signal on this executor alone.
    auto slot = boost::asio::get_associated_cancellation_slot(handler_);
    if (slot.is_connected()) slot.clear();
    work_.reset();
    if constexpr (std::is_void_v<T>) {
      std::move(handler_)(std::move(outcome_.error));
    } else {
      std::move(handler_)(std::move(outcome_.error), outcome_.value ? std::move(*outcome_.value) : T());
    }
  }

 private:
  Handler handler_;
  outcome<T> outcome_;
  boost::asio::executor_work_guard<Executor> work_;
};

/// What a call is to end with.
template <class Handler, class Executor>
struct handler_of_call {
  boost::asio::executor_work_guard<Executor> work;
  std::optional<Handler> handler;
};

/// One call with its handler. The handler is a base, and the first one, because it goes last: it may own what the stages refer
/// to, a breaker for one.
template <class Shape, class Handler, class Executor>
class call_state final : private handler_of_call<Handler, Executor>, public call_base<Shape> {
  using base = call_base<Shape>;
  using last = handler_of_call<Handler, Executor>;
  using result = typename base::result;

 public:
  call_state(typename Shape::policies policies, typename Shape::function function, boost::asio::any_io_executor executor,
             const Executor& handlers_executor, const typename Shape::allocator& memory,
             std::shared_ptr<const call_options> options, Handler handler)
      : last{boost::asio::executor_work_guard<Executor>(handlers_executor), std::move(handler)},
        base(std::move(policies), std::move(function), std::move(executor), memory, std::move(options)) {}
  ~call_state() = default;

  void begin(bool has_own_executor) {
    const bool can_be_cancelled = follow_caller();
    base::begin(has_own_executor, can_be_cancelled);
  }

 private:
  using slot_type = boost::asio::associated_cancellation_slot_t<Handler>;

  /// Takes the caller's cancellations.
  bool follow_caller() {
    auto slot = boost::asio::get_associated_cancellation_slot(*last::handler);
    if (!slot.is_connected()) return false;
    base::will_cancel();
    slot.assign([weak = std::weak_ptr<base>(this->shared_from_this())](boost::asio::cancellation_type type) {
      if (type == boost::asio::cancellation_type::none) return;
      if (std::shared_ptr<base> call = weak.lock()) {
        // The last thing: when it ends the call at once the slot is cleared, and this function object gone.
        const boost::asio::any_io_executor executor = call->executor();
        boost::asio::dispatch(executor, [call = std::move(call), type]() mutable { base::cancel(std::move(call), type); });
      }
    });
    return true;
  }

  void finish(std::shared_ptr<base> self, outcome<result> o) override {
    const bool at_once = being_started != static_cast<const base*>(this);
    completion<result, Handler, Executor> end(std::move(*last::handler), std::move(o), std::move(last::work));
    last::handler.reset();
    base::drop_function();
    self.reset();  // memory goes before the handler is called
    if (at_once) {
      boost::asio::dispatch(std::move(end));
    } else {
      boost::asio::post(std::move(end));
    }
  }
};

/// Starts a call: what a completion token is given.
template <class T, class Policies, class F>
class initiation {
 public:
  initiation(std::optional<boost::asio::any_io_executor> executor, Policies policies,
             std::shared_ptr<const call_options> options, F f)
      : executor_(std::move(executor)), policies_(std::move(policies)), options_(std::move(options)), function_(std::move(f)) {}

  template <class Handler>
  void operator()(Handler&& handler) {
    using handler_type = std::decay_t<Handler>;
    const auto memory = boost::asio::get_associated_allocator(handler, boost::asio::recycling_allocator<void>());
    if (executor_) {
      const auto last = boost::asio::get_associated_executor(handler, *executor_);
      begin<handler_type>(std::forward<Handler>(handler), *executor_, last, memory);
    } else {
      const auto last = boost::asio::get_associated_executor(handler);
      begin<handler_type>(std::forward<Handler>(handler), boost::asio::any_io_executor(last), last, memory);
    }
  }

 private:
  template <class Handler, class Executor, class Allocator>
  void begin(Handler handler, boost::asio::any_io_executor executor, const Executor& last, const Allocator& memory) {
    using state = call_state<shape<T, Policies, F, Allocator>, Handler, Executor>;
    const auto call = std::allocate_shared<state>(memory, std::move(policies_), std::move(function_), std::move(executor), last,
                                                  memory, std::move(options_), std::move(handler));
    call->begin(executor_.has_value());
  }

  std::optional<boost::asio::any_io_executor> executor_;
  Policies policies_;
  std::shared_ptr<const call_options> options_;
  F function_;
};

}  // namespace switchgear::inline v1::asio::detail
