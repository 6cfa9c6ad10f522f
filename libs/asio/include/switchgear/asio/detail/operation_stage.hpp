// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/detail/call_base.hpp>
#include <switchgear/asio/detail/signature.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <atomic>
#include <exception>
#include <forward_list>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// The completion token that the function is given: makes the handler of one operation.
template <class Stage>
struct operation_token {
  Stage* target;
};

/// The completion handler of one operation. It takes exactly what the signature says, so that what converts to that is
/// converted (an enumerator of an error, for one).
template <class Shape, class Signature>
class operation_handler;
template <class Shape, class R, class... A>
class operation_handler<Shape, R(A...)> {
 public:
  using stage_type = operation_stage<Shape>;
  using hold_type = decltype(std::declval<stage_type&>().holding());
  using executor_type = boost::asio::any_io_executor;
  using allocator_type = typename Shape::allocator;
  using cancellation_slot_type = boost::asio::cancellation_slot;

  operation_handler(hold_type held, stage_type& target, unsigned number, cancellation_slot_type slot)
      : held_(std::move(held)), target_(&target), number_(number), slot_(slot) {}

  [[nodiscard]] const executor_type& get_executor() const noexcept { return held_.call()->executor(); }
  [[nodiscard]] allocator_type get_allocator() const noexcept { return held_.call()->memory(); }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

  void operator()(A... arguments) {
    using result = typename Shape::result;
    outcome<result> o = outcome_of<result>(std::forward<A>(arguments)...);
    if (target_->is_parked(held_, number_, o)) return;
    call_base<Shape>::enter(std::move(held_), [&]() -> maybe<result> {
      if (!target_->is_wanted(number_)) return {};
      return target_->ended_by_itself(std::move(o));
    });
  }

 private:
  hold_type held_;
  stage_type* target_;
  unsigned number_;
  cancellation_slot_type slot_;
};

/// The innermost part of a call: starts the user's operation, cancels it, and leaves it behind when it does not listen.
template <class Shape>
class operation_stage : public stage_base<Shape, Shape::size> {
  using base = stage_base<Shape, Shape::size>;
  using function = typename Shape::function;
  using hold_type = hold<Shape, Shape::template hedges_before<Shape::size>()>;

 public:
  using typename base::result;
  using base::base;

  maybe<result> start() {
    is_running_ = true;
    const unsigned number = ++number_;
    progress_ = progress::starting;
    std::exception_ptr error;
    try {
      begin();
    } catch (...) {
      error = std::current_exception();
    }
    if (progress_.exchange(progress::started) == progress::parked) {
      const auto keeps_no_more = std::exchange(parked_hold_, std::nullopt);
      maybe<result> o = std::exchange(parked_, std::nullopt);
      if (!is_wanted(number)) return {};
      close();
      return o;
    }
    if (!error || !is_wanted(number)) return {};
    // Should the operation be under way all the same, nobody hears of it.
    leave_behind();
    return outcome<result>::failed(error);
  }

  maybe<result> cancel(order_to_cancel order) {
    if (!is_running_) return {};
    const bool listens = signal_->slot().has_handler();
    // An operation that ends while it is asked to is heard afterwards, one thing at a time.
    is_asking_ = true;
    signal_->emit(order.type);
    is_asking_ = false;
    if (early_) {
      is_running_ = false;
      signal_->slot().clear();
      return std::exchange(early_, std::nullopt);
    }
    if (order.why == reason::caller || order.time == nullptr) return {};
    const std::chrono::nanoseconds patience = base::call().abandon_after();
    if (!listens || patience.count() <= 0) return abandon();
    if (patience != std::chrono::nanoseconds::max() && !pause_.is_waiting()) {
      pause_.start(base::call(), *this, *order.time, switchgear::detail::later(order.time->now(), patience));
    }
    return {};
  }

  /// It was cancelled and has not ended in time.
  maybe<result> resumed() {
    if (!is_running_) return {};
    return base::ended(*abandon());
  }

  // --- for handlers ---

  [[nodiscard]] bool is_wanted(unsigned number) const noexcept { return is_running_ && number_ == number; }

  /// Whether the operation has ended before the function that starts it returned: inline, or on another thread. Then its
  /// outcome waits for that, with what the handler held, because the function must not go while it runs.
  [[nodiscard]] bool is_parked(hold_type& held, unsigned number, outcome<result>& o) {
    if (progress_ != progress::starting || !is_wanted(number)) return false;
    parked_ = std::move(o);
    parked_hold_ = std::move(held);
    progress expected = progress::starting;
    if (progress_.compare_exchange_strong(expected, progress::parked)) return true;
    o = *std::exchange(parked_, std::nullopt);
    held = *std::exchange(parked_hold_, std::nullopt);
    return false;
  }

  maybe<result> ended_by_itself(outcome<result> o) {
    if (is_asking_) {
      early_ = std::move(o);
      return {};
    }
    close();
    return base::ended(std::move(o));
  }

  template <class Signature>
  [[nodiscard]] operation_handler<Shape, Signature> make_handler() {
    return {base::holding(), *this, number_,
            base::call().may_cancel() ? signal_->slot() : boost::asio::cancellation_slot()};
  }

 private:
  void begin() {
#if defined(BOOST_ASIO_HAS_CO_AWAIT)
    if constexpr (coroutine_function<function>) {
      using executor = typename awaited<std::invoke_result_t<function&>>::executor;
      auto coroutine = std::invoke(base::call().function());
      boost::asio::co_spawn(executor(base::call().executor()), std::move(coroutine), operation_token<operation_stage>{this});
      return;
    } else
#endif
    {
      std::invoke(base::call().function(), operation_token<operation_stage>{this});
    }
  }

  /// The operation has ended.
  void close() noexcept {
    is_running_ = false;
    pause_.stop();
    if (base::call().may_cancel()) signal_->slot().clear();
  }

  maybe<result> abandon() {
    leave_behind();
    base::call().leaves_behind();
    return outcome<result>::failed(aborted_error());
  }

  void leave_behind() {
    is_running_ = false;
    ++number_;
    pause_.stop();
    parked_.reset();
    parked_hold_.reset();
    // Its slot stays its own; the next operation gets another.
    more_.emplace_front();
    signal_ = &more_.front();
  }

  using signal_allocator =
      typename std::allocator_traits<typename Shape::allocator>::template rebind_alloc<boost::asio::cancellation_signal>;

  enum class progress { starting, started, parked };

  std::atomic<progress> progress_{progress::started};
  maybe<result> parked_;                  ///< what an operation brought that ended while it was being started
  std::optional<hold_type> parked_hold_;
  bool is_running_ = false;
  bool is_asking_ = false;
  unsigned number_ = 0;  ///< of the operation that is wanted
  boost::asio::cancellation_signal first_;
  std::forward_list<boost::asio::cancellation_signal, signal_allocator> more_{signal_allocator(base::call().memory())};
  boost::asio::cancellation_signal* signal_ = &first_;
  maybe<result> early_;
  stage_pause<operation_stage> pause_;
};

}  // namespace switchgear::inline v1::asio::detail

namespace boost::asio {

template <class Stage, class Signature>
class async_result<switchgear::asio::detail::operation_token<Stage>, Signature> {
  using token_type = switchgear::asio::detail::operation_token<Stage>;

 public:
  using return_type = void;

  template <class Initiation, class... A>
  static void initiate(Initiation&& initiation, token_type token, A&&... arguments) {
    std::forward<Initiation>(initiation)(token.target->template make_handler<Signature>(), std::forward<A>(arguments)...);
  }

  // For operations of the older style.
  struct completion_handler_type : decltype(std::declval<Stage&>().template make_handler<Signature>()) {
    using base = decltype(std::declval<Stage&>().template make_handler<Signature>());
    explicit completion_handler_type(token_type token) : base(token.target->template make_handler<Signature>()) {}
  };
  explicit async_result(completion_handler_type&) {}
  void get() {}
};

}  // namespace boost::asio
