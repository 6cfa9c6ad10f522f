// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/call_options.hpp>
#include <switchgear/asio/detail/errors.hpp>
#include <switchgear/asio/detail/outcome.hpp>
#include <switchgear/asio/detail/pause.hpp>
#include <switchgear/asio/detail/series.hpp>
#include <switchgear/policy.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace switchgear::inline v1::asio::detail {

/// What the parts of one call are made of. They do not know the completion handler, so one set of them serves all tokens.
template <class T, class Policies, class F, class Allocator>
struct shape {
  using result = T;
  using policies = Policies;
  using function = F;
  using allocator = Allocator;
  static constexpr std::size_t size = std::tuple_size_v<Policies>;
  template <std::size_t I>
  using policy = std::tuple_element_t<I, Policies>;

  /// The number of the innermost hedge outside stage `I`, plus one; 0 when there is none.
  template <std::size_t I>
  static constexpr std::size_t hedges_before() {
    if constexpr (I == 0) {
      return 0;
    } else if constexpr (policy<I - 1>::kind == policy_kind::hedge) {
      return I;
    } else {
      return hedges_before<I - 1>();
    }
  }
};

/// Why a part of a call is cancelled.
enum class reason {
  caller,     ///< he asked for it, by his cancellation slot
  timed_out,  ///< a time limit passed
  lost,       ///< another attempt won
};

struct order_to_cancel {
  boost::asio::cancellation_type type = boost::asio::cancellation_type::terminal;
  reason why = reason::caller;
  clock* time = nullptr;  ///< what the end is waited for with; null for the caller, who waits as long as it takes
};

/// Stage `I` of a call: the part of policy `I`, which holds the stages further in. Behind the last policy comes the operation
/// itself. Each stage has
///
///     maybe<T> start();                    begins; an outcome when it is known at once
///     maybe<T> cancel(order_to_cancel);    asks it to end; an outcome when that ended it at once
///     maybe<T> child_done(outcome<T>);     the stage inside ended later; the outcome of the whole call when that ended it too
///
/// They run one after the other. Once something was started that may complete on another thread a function touches nothing
/// more: it returns.
template <class Shape, std::size_t I, class Policy>
class stage;

template <class Shape>
class operation_stage;
template <class Shape>
class call_base;
template <class Shape, std::size_t I>
class attempt_of_hedge;

template <class Shape, std::size_t I>
struct stage_at_of { using type = stage<Shape, I, typename Shape::template policy<I>>; };
template <class Shape, std::size_t I>
  requires(I == Shape::size)
struct stage_at_of<Shape, I> { using type = operation_stage<Shape>; };
template <class Shape, std::size_t I>
using stage_at = typename stage_at_of<Shape, I>::type;

/// What stage `I` tells its outcome.
template <class Shape, std::size_t I>
struct parent_of_stage {
  using type =
      std::conditional_t<Shape::template hedges_before<I>() == I, attempt_of_hedge<Shape, I - 1>, stage_at<Shape, I - 1>>;
};
template <class Shape>
struct parent_of_stage<Shape, 0> { using type = call_base<Shape>; };
template <class Shape, std::size_t I>
using parent_of = typename parent_of_stage<Shape, I>::type;

/// What a handler holds so that the parts it refers to stay: the call, and the attempts of hedges that it belongs to.
template <class Shape, std::size_t Hedges>
struct hold {
  hold<Shape, Shape::template hedges_before<Hedges - 1>()> outer;
  std::shared_ptr<void> attempt;
  [[nodiscard]] const std::shared_ptr<call_base<Shape>>& call() const noexcept { return outer.call(); }
  [[nodiscard]] std::shared_ptr<call_base<Shape>> take_call() && noexcept {
    std::shared_ptr<call_base<Shape>> c = std::move(outer).take_call();
    attempt.reset();
    return c;
  }
};
template <class Shape>
struct hold<Shape, 0> {
  std::shared_ptr<call_base<Shape>> self;
  [[nodiscard]] const std::shared_ptr<call_base<Shape>>& call() const noexcept { return self; }
  [[nodiscard]] std::shared_ptr<call_base<Shape>> take_call() && noexcept { return std::move(self); }
};

/// The call that is being started on this thread: while it is, it may not call its handler.
inline thread_local const void* being_started = nullptr;

/// One call, without its handler: the policies and the function, and the stages.
template <class Shape>
class call_base : public std::enable_shared_from_this<call_base<Shape>> {
 public:
  using result = typename Shape::result;
  using allocator = typename Shape::allocator;

  call_base(typename Shape::policies policies, typename Shape::function function, boost::asio::any_io_executor executor,
            const allocator& memory, std::shared_ptr<const call_options> options)
      : policies_(std::move(policies)),
        function_(std::move(function)),
        executor_(std::move(executor)),
        memory_(memory),
        options_(std::move(options)),
        first_(*this, *this) {}
  call_base(const call_base&) = delete;
  call_base& operator=(const call_base&) = delete;

  // --- for the stages ---

  template <std::size_t I>
  [[nodiscard]] const auto& policy() const noexcept { return std::get<I>(policies_); }
  [[nodiscard]] typename Shape::function& function() noexcept { return *function_; }
  [[nodiscard]] const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
  [[nodiscard]] const allocator& memory() const noexcept { return memory_; }

  /// What the policies are shown.
  [[nodiscard]] execution seen(bool cancelled = false) const {
    execution e;
    if (cancelled) e.stop = stopped();
    e.context = context();
    return e;
  }
  [[nodiscard]] call_context context() const noexcept {
    if (!options_) return {};
    return {options_->correlation_id, options_->context ? &*options_->context : nullptr};
  }
  /// How long an operation that was cancelled by us may take to end.
  [[nodiscard]] std::chrono::nanoseconds abandon_after() const noexcept {
    return options_ ? options_->abandon_after : call_options::default_abandon_after;
  }

  /// Whether operations need a cancellation slot.
  [[nodiscard]] bool may_cancel() const noexcept { return may_cancel_; }
  void will_cancel() noexcept { may_cancel_ = true; }
  /// An operation was left behind: what it may refer to stays.
  void leaves_behind() noexcept { keeps_function_ = true; }

  [[nodiscard]] auto holding() { return hold<Shape, 0>{this->shared_from_this()}; }
  maybe<result> child_done(outcome<result> o) { return o; }

  /// Calls s.start_in_series() so that nothing else of this call runs meanwhile, now or later. For stages that act beside the
  /// operation.
  template <class Stage>
  maybe<result> in_series(Stage& s) {
    will_cancel();
    if (is_in_series_) return s.start_in_series();
    begin_series();
    boost::asio::dispatch(executor_, boost::asio::bind_allocator(memory_, [h = s.holding(), &s]() mutable {
      enter(std::move(h), [&s]() -> maybe<result> {
        maybe<result> o = s.start_in_series();
        return o ? s.ended(std::move(*o)) : std::nullopt;
      });
    }));
    return {};
  }

  /// Does one step of a call, and finishes the call when that was the last.
  template <class Hold, class Step>
  static void enter(Hold h, const Step& step) {
    maybe<result> last = step();
    if (!last) return;
    std::shared_ptr<call_base> self = std::move(h).take_call();
    call_base& call = *self;
    call.is_done_ = true;
    call.finish(std::move(self), std::move(*last));
  }

  /// The caller cancels. On the executor. Takes the caller's share of the call, so that memory goes before the handler is called.
  static void cancel(std::shared_ptr<call_base> self, boost::asio::cancellation_type type) {
    call_base& call = *self;
    if (call.is_done_) return;  // it was on its way when the call ended
    enter(hold<Shape, 0>{std::move(self)}, [&] { return call.first_.cancel({type, reason::caller, nullptr}); });
  }

 protected:
  ~call_base() = default;

  /// Calls the handler with the outcome, once.
  virtual void finish(std::shared_ptr<call_base> self, outcome<result> o) = 0;

  /// Begins: on an executor of its own, or else here.
  void begin(bool has_own_executor, bool can_be_cancelled) {
    if (!has_own_executor) return start(this->shared_from_this());
    if (can_be_cancelled) begin_series();  // the caller may cancel while the call runs on another executor than his own
    boost::asio::dispatch(executor_, boost::asio::bind_allocator(memory_, [self = this->shared_from_this()]() mutable {
      start(std::move(self));
    }));
  }

  void drop_function() noexcept {
    if (!keeps_function_) function_.reset();
  }

 private:
  void begin_series() {
    if (!is_series(executor_)) executor_ = make_series(executor_);
    is_in_series_ = true;
  }
  static void start(std::shared_ptr<call_base> self) {
    call_base& call = *self;
    struct mark {
      const void* before;
      explicit mark(const void* call) : before(std::exchange(being_started, call)) {}
      ~mark() { being_started = before; }
    } const m(&call);
    enter(hold<Shape, 0>{std::move(self)}, [&call] { return call.first_.start(); });
  }

  const typename Shape::policies policies_;
  std::optional<typename Shape::function> function_;
  boost::asio::any_io_executor executor_;
  const allocator memory_;
  const std::shared_ptr<const call_options> options_;
  bool is_done_ = false;
  bool is_in_series_ = false;
  bool may_cancel_ = false;
  bool keeps_function_ = false;
  stage_at<Shape, 0> first_;
};

/// What stages have in common.
template <class Shape, std::size_t I>
class stage_base {
 public:
  using result = typename Shape::result;
  using parent = parent_of<Shape, I>;

  stage_base(call_base<Shape>& call, parent& p) : call_(&call), parent_(&p) {}
  stage_base(const stage_base&) = delete;
  stage_base& operator=(const stage_base&) = delete;

  [[nodiscard]] auto holding() { return parent_->holding(); }
  /// This stage ended later than its start.
  maybe<result> ended(outcome<result> o) { return parent_->child_done(std::move(o)); }

 protected:
  ~stage_base() = default;
  [[nodiscard]] call_base<Shape>& call() const noexcept { return *call_; }
  [[nodiscard]] const auto& policy() const noexcept { return call_->template policy<I>(); }

 private:
  call_base<Shape>* call_;
  parent* parent_;
};

/// A wait of a stage, of which there is one at a time. Calls stage.resumed() at the end, unless stopped.
template <class Stage>
class stage_pause {
 public:
  /// Before start(): what ends it from another thread.
  template <class Call>
  const std::shared_ptr<wake_up>& prepare(Call& call, Stage&) {
    pause_ = std::allocate_shared<pause>(call.memory(), call.executor());
    return pause_->can_be_woken();
  }
  template <class Call>
  void start(Call& call, Stage& s, clock& source, std::optional<std::chrono::nanoseconds> until) {
    if (!pause_) pause_ = std::allocate_shared<pause>(call.memory(), call.executor());
    // Held here, because the handler may end the wait on another thread before wait() returns.
    const std::shared_ptr<pause> p = pause_;
    p->wait(source, until, handler<decltype(s.holding()), Call>{s.holding(), this, &s, ++number_});
  }
  [[nodiscard]] bool is_waiting() const noexcept { return pause_ != nullptr; }
  void stop() noexcept {
    ++number_;
    pause_.reset();
  }

 private:
  template <class Hold, class Call>
  struct handler {
    Hold held;
    stage_pause* self;
    Stage* target;
    unsigned number;

    using executor_type = boost::asio::any_io_executor;
    using allocator_type = typename Call::allocator;
    [[nodiscard]] const executor_type& get_executor() const noexcept { return held.call()->executor(); }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return held.call()->memory(); }

    void operator()(const boost::system::error_code&) {
      Call::enter(std::move(held), [this]() -> maybe<typename Call::result> {
        if (self->number_ != number) return {};
        self->stop();
        return target->resumed();
      });
    }
  };

  std::shared_ptr<pause> pause_;
  unsigned number_ = 0;
};

}  // namespace switchgear::inline v1::asio::detail
