// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/asio/call.hpp>
#include <switchgear/testing/manual_clock.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace tests {

namespace sg = switchgear;
namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

/// A dependency whose operations end when the test says so. They live in the execution context, as real ones do.
class remote {
 public:
  enum class manners {
    listens,   ///< ends when it is cancelled
    stubborn,  ///< hears of it and goes on
    deaf,      ///< cannot be cancelled
  };
  struct operation {
    explicit operation(const asio::any_io_executor& e) : timer(e, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    std::optional<std::pair<error_code, int>> brought;
    int asked = 0;
  };

  explicit remote(asio::io_context& io) : executor_(io.get_executor()) {}

  manners how = manners::listens;

  /// Starts one; brings an error code and an int.
  template <class Token>
  auto async_ask(Token&& token) {
    return asio::async_initiate<Token, void(error_code, int)>(
        [this](auto handler) {
          auto o = std::make_shared<operation>(executor_);
          operations_.push_back(o);
          auto executor = asio::get_associated_executor(handler, executor_);
          auto slot = asio::get_associated_cancellation_slot(handler);
          auto ended = asio::bind_executor(executor, [o, h = std::move(handler)](error_code) mutable {
            const auto brought = o->brought.value_or(std::pair(error_code(asio::error::operation_aborted), 0));
            o.reset();
            std::move(h)(brought.first, brought.second);
          });
          if (how == manners::stubborn && slot.is_connected()) {
            slot.assign([weak = std::weak_ptr(o)](asio::cancellation_type) {
              if (const auto asked = weak.lock()) ++asked->asked;
            });
          }
          if (how == manners::listens) {
            o->timer.async_wait(asio::bind_cancellation_slot(slot, std::move(ended)));
          } else {
            o->timer.async_wait(std::move(ended));
          }
        },
        token);
  }

  /// How many were started, and how many of them are under way.
  [[nodiscard]] std::size_t started() const { return operations_.size(); }
  [[nodiscard]] std::size_t under_way() const {
    std::size_t n = 0;
    for (const auto& o : operations_) n += !o.expired();
    return n;
  }
  /// How often operation `i` was asked to end and did not.
  [[nodiscard]] int asked(std::size_t i) const {
    const auto o = operations_.at(i).lock();
    return o ? o->asked : 0;
  }
  void answer(std::size_t i, int value) { end(i, {}, value); }
  void fail(std::size_t i) { end(i, asio::error::connection_refused, 0); }
  /// Ends the oldest that is under way; false when there is none.
  bool end_oldest(bool well) {
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const auto o = operations_[i].lock();
      if (!o || o->brought) continue;
      well ? answer(i, static_cast<int>(i) + 1) : fail(i);
      return true;
    }
    return false;
  }

 private:
  void end(std::size_t i, error_code error, int value) {
    const auto o = operations_.at(i).lock();
    if (!o) throw std::logic_error("this operation is not under way");
    o->brought.emplace(error, value);
    o->timer.cancel();
  }

  asio::any_io_executor executor_;
  std::vector<std::weak_ptr<operation>> operations_;
};

/// What a call came to.
struct ending {
  int times = 0;
  std::exception_ptr error;
  int value = 0;
};

template <class E>
[[nodiscard]] bool is(const std::exception_ptr& e) {
  try {
    if (e) std::rethrow_exception(e);
  } catch (const E&) {
    return true;
  } catch (...) {
  }
  return false;
}

[[nodiscard]] inline bool is_aborted(const std::exception_ptr& e) {
  try {
    if (e) std::rethrow_exception(e);
  } catch (const boost::system::system_error& s) {
    return s.code() == asio::error::operation_aborted;
  } catch (...) {
  }
  return false;
}

/// What is nested in an exception, or null.
[[nodiscard]] inline std::exception_ptr nested_in(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& outer) {
    try {
      std::rethrow_if_nested(outer);
    } catch (...) {
      return std::current_exception();
    }
  } catch (...) {
  }
  return nullptr;
}

/// An allocator that counts.
struct counted_memory {
  std::size_t now = 0, most = 0, allocations = 0;
};
template <class T>
struct counting_allocator {
  using value_type = T;
  counted_memory* memory;
  explicit counting_allocator(counted_memory& m) : memory(&m) {}
  template <class U>
  counting_allocator(const counting_allocator<U>& o) : memory(o.memory) {}  // NOLINT: conversions of allocators are implicit
  T* allocate(std::size_t n) {
    memory->now += n * sizeof(T);
    memory->most = std::max(memory->most, memory->now);
    ++memory->allocations;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) {
    memory->now -= n * sizeof(T);
    std::allocator<T>().deallocate(p, n);
  }
  template <class U>
  bool operator==(const counting_allocator<U>& o) const {
    return memory == o.memory;
  }
};

/// One thread, one dependency, time by hand.
struct world {
  sg::testing::manual_clock clock;
  std::unique_ptr<asio::io_context> io = std::make_unique<asio::io_context>(1);
  remote dependency{*io};
  asio::cancellation_signal cancel;

  [[nodiscard]] auto ask() {
    return [this](auto token) { return dependency.async_ask(token); };
  }

  [[nodiscard]] auto plain_handler(ending& e) {
    return asio::bind_executor(io->get_executor(), [&e](std::exception_ptr error, int value) {
      ++e.times;
      e.error = std::move(error);
      e.value = value;
    });
  }
  [[nodiscard]] auto handler(ending& e) { return asio::bind_cancellation_slot(cancel.slot(), plain_handler(e)); }

  /// Starts a call that `cancel` cancels; one at a time.
  template <class Target>
  void start(Target&& target, ending& e) {
    sg::asio::call(std::forward<Target>(target), ask(), handler(e));
  }
  /// One that nobody can cancel.
  template <class Target>
  void start_apart(Target&& target, ending& e) {
    sg::asio::call(std::forward<Target>(target), ask(), plain_handler(e));
  }

  /// Runs what is ready.
  void run() {
    io->restart();
    io->poll();
  }
  void advance(std::chrono::nanoseconds by) {
    clock.advance(by);
    run();
  }
};

}  // namespace tests
