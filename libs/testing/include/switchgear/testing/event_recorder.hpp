// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/event.hpp>
#include <switchgear/subscription.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1::testing {

/// Writes down every event of a breaker.
///
///     sg::testing::event_recorder recorder{payments};
///     …
///     sg::drain_events();                                   // everything published so far has arrived
///     EXPECT_EQ(recorder.transitions(), (std::vector<std::string>{"closed>open"}));
///
/// Thread safety: the functions that look may be called from any thread, also while events arrive; they wait for nobody.
/// One source delivers to one recorder.
class event_recorder {
 public:
  /// Observes `source`, a breaker or anything else with observe(handler), until the recorder is destroyed.
  template <class Source>
    requires requires(Source& s, std::function<void(const event&)> handler) {
      { s.observe(handler) } -> std::same_as<subscription>;
    }
  explicit event_recorder(Source& source) : event_recorder() {
    subscription_ = source.observe([list = list_](const event& e) { list->add(e); });
  }
  event_recorder(const event_recorder&) = delete;
  event_recorder& operator=(const event_recorder&) = delete;
  ~event_recorder();

  /// Everything since the beginning, or since forget().
  [[nodiscard]] std::vector<event> events() const;
  /// Only those of one kind.
  [[nodiscard]] std::vector<event> events(event_kind kind) const;
  [[nodiscard]] std::vector<event_kind> kinds() const;
  /// The transitions as scenarios spell them: `closed>open`. A reset of a closed circuit is `closed>closed`.
  [[nodiscard]] std::vector<std::string> transitions() const;
  [[nodiscard]] std::size_t count(event_kind kind) const;
  [[nodiscard]] std::size_t size() const;

  /// Begins anew: what arrived before this call is not shown any more.
  void forget();
  /// Stops observing. What was written down stays.
  void stop();

 private:
  /// Append-only, one writer: readers only follow pointers, so they never wait.
  struct node {
    event value;
    std::atomic<node*> next{nullptr};
  };
  struct list {
    list();
    ~list();
    list(const list&) = delete;
    list& operator=(const list&) = delete;
    void add(const event& e);

    node* first;              ///< an empty one
    std::atomic<node*> last;
  };

  event_recorder();
  template <class F>
  void each(const F& f) const;

  std::shared_ptr<list> list_;
  std::atomic<node*> begin_;  ///< the one before the first that is shown
  subscription subscription_;
};

}  // namespace switchgear::inline v1::testing
