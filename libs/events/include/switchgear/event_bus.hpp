// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>
#include <switchgear/subscription.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace switchgear::inline v1 {

/// Something a bus has to say about itself, for logs.
struct bus_notice {
  enum class kind : std::uint8_t {
    connected,       ///< to a server, also again after a loss
    disconnected,    ///< why is in the text; the bus tries again by itself
    dropped,         ///< events that were published or received and will reach no handler: `count` of them
    missed,          ///< transitions that other members told and this bus never got, by the gaps in their sequences
    refused,         ///< a message that is no event; why is in the text
    handler_failed,  ///< a handler threw; the others were told all the same
  };
  kind what = kind::connected;
  std::uint64_t count = 1;
  std::string text;  ///< one line, never with a password
};

/// The name, `handler_failed`.
[[nodiscard]] std::string_view to_string(bus_notice::kind k) noexcept;

/// What every bus may be told.
struct event_bus_options {
  /// How many events may wait to leave and, apart from those, how many may wait for the handlers; 16 … 1,048,576. When a queue is
  /// full, events of calls are dropped, and of the transitions of each circuit the last one is kept, so that what is told in
  /// the end is always the truth. About 0.6 KiB each, taken when it is first needed.
  std::size_t queue_capacity = 4096;

  /// For programs that come and go while their circuits live on, as `switchgear exec`: who comes late is still told of them when
  /// the bus was closed, for this long, by the server's clock; 0 … 30 days. 0: the circuits are gone with the bus. On a local
  /// bus it means nothing; on Kafka what was told stays as long as the broker keeps it.
  std::chrono::nanoseconds keep_present{0};

  /// What such a program is called, 1 … 64 letters, digits, dots, underscores and dashes; needed with keep_present. The next
  /// bus of that name takes over what this one has told, so its circuits have to be the same: event::instance and the sequence
  /// go on. Empty: a name that no other has.
  std::string member{};

  /// Called for each notice by a thread of the bus, one at a time; may use the bus but not flush, close or destroy it.
  /// What it throws is dropped. Empty: silence.
  std::function<void(const bus_notice&)> on_notice{};
};

/// How somebody subscribes.
struct subscribe_options {
  /// First hear how each circuit that the bus knows is now (event::present is true), then what changes: nothing between the
  /// two is
  /// left out, nothing is told twice. Circuits that join later are told in the same way.
  bool present = false;
};

/// Counters since construction. `published` = `sent` + `dropped` + those that still wait; `received` = `delivered` +
/// `duplicates` + `undelivered` + those that still wait.
struct bus_metrics {
  std::uint64_t published = 0;       ///< calls of publish()
  std::uint64_t sent = 0;            ///< of those, that the bus has taken over: the server or broker confirmed it
  std::uint64_t dropped = 0;         ///< of those, that will never leave
  std::uint64_t received = 0;        ///< that came in, present states included
  std::uint64_t delivered = 0;       ///< of those, that were put before the handlers
  std::uint64_t duplicates = 0;      ///< of those, that had been delivered before
  std::uint64_t undelivered = 0;     ///< of those, dropped because the handlers were too slow
  /// Transitions that never came in, by the gaps in the sequences of what was told; those that were dropped here because the
  /// handlers were too slow are among them.
  std::uint64_t missed = 0;
  std::uint64_t refused = 0;         ///< messages that are no events
  std::uint64_t handler_errors = 0;  ///< exceptions of handlers
  std::uint64_t connections = 0;     ///< how often a connection was made
  std::size_t circuits = 0;          ///< whose present state is known now
  bool connected = false;            ///< now; a local bus always is
};

/// Carries the events of circuits to whoever wants to hear of them.
///
/// Topics: transitions go to `circuit_breaker.state.NAME`, the rest to `circuit_breaker.call.NAME`; in patterns `*` stands for
/// any
/// run of characters. The same on every bus.
///
/// Handlers are called on a thread of the bus, one at a time, outside every lock, and per circuit in the order of what
/// happened. They
/// may subscribe, unsubscribe and publish; one that throws is counted and announced, and the others are told all the same. A
/// slow one lets events wait, and in the end be dropped, for all.
///
/// Thread safety: every function from any thread. What publishes must be done before the bus is destroyed; subscriptions may
/// outlive it.
class event_bus {
 public:
  using handler = std::function<void(std::string_view topic, const event& e)>;

  event_bus() = default;
  event_bus(const event_bus&) = delete;
  event_bus& operator=(const event_bus&) = delete;
  virtual ~event_bus() = default;

  /// Starts the threads and, where there is a server, connecting; returns at once. publish() and subscribe() do it too.
  virtual void start() = 0;

  /// Ends the bus: what waits to leave or to be delivered still is, as far as the time that the bus gives to that allows; the
  /// rest
  /// is counted as dropped. Afterwards publish() drops and subscribe() gives subscriptions that hear nothing. Not from a handler.
  virtual void close() noexcept = 0;

  /// Takes an event along. Never blocks for longer than it takes to copy it, never throws. An event without id or time gets
  /// them. One
  /// with event::present set tells how a circuit is, for those who asked for that.
  virtual void publish(const event& e) noexcept = 0;

  /// The circuit is no more: whoever comes later is not told of it.
  virtual void withdraw(std::string_view service, std::string_view instance) noexcept = 0;

  /// Calls `h` for the events whose topics match and that come in from now on. The subscription ends when it is destroyed, see
  /// subscription.
  virtual subscription subscribe(std::string_view pattern, handler h, subscribe_options how = {}) = 0;

  /// Waits until all that was published and received before has been sent and delivered, or dropped; false when `limit` (of
  /// real time) was over before. Not from a handler.
  virtual bool flush(std::chrono::nanoseconds limit) = 0;

  [[nodiscard]] virtual bus_metrics metrics() const = 0;
};

}  // namespace switchgear::inline v1
