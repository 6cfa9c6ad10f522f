// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/simulation/report.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checker.hpp"
#include "event_queue.hpp"
#include "figures.hpp"
#include "node.hpp"
#include "plan.hpp"
#include "simulated_store.hpp"
#include "upstream.hpp"

namespace switchgear::inline v1::simulation {

enum class happening : std::uint8_t {
  call,           ///< `who` makes one
  call_ends,      ///< detail: of calls_
  wake,           ///< the worker of `who`
  request,        ///< arrives at the store; detail: of envelopes_
  answer,         ///< arrives at `who`; detail: of envelopes_
  news,           ///< arrives at `who`; detail: connection << 32 | of news_
  connect,        ///< `who` tries; detail: the connection
  connected,      ///< detail: the connection
  broken,         ///< `who` sees that its connection has gone; detail: the connection
  healed,         ///< of `who`, perhaps
  action,         ///< detail: of plan_
  bucket,         ///< the next part of the figures begins
  drift,          ///< the clock of `who` takes another rate
  checkpoint,     ///< `who` is looked at
};

/// A fleet, its store, what it calls and what lies between, on virtual time. See run() in report.hpp.
class world {
 public:
  explicit world(const settings& s);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();

  report run(const std::function<void(std::chrono::nanoseconds)>& progress);

 private:
  using event = event_at<happening>;

  struct envelope {
    std::uint64_t id = 0;
    std::uint32_t connection = 0;
    std::vector<std::string> words;
    bool is_error = false;
  };
  struct message {
    std::string text;
    std::uint32_t readers = 0;
  };

  void happen(const event& e);
  void act(const action& a);
  void disturb(const action& a);
  void add(const fleet::metrics& m);
  void count_lives() noexcept;
  void finish();

  // instances, see world_nodes.cpp
  node& make_node();
  void start(node& n);
  void stop(node& n, bool farewell);
  void step(node& n);
  void wake_at(node& n, std::int64_t when);
  void looked_after(node& n);
  [[nodiscard]] std::vector<node*> some(double share);
  [[nodiscard]] node* operators_seat();

  // calls
  void call(node& n);
  void call_ends(node& n, std::uint32_t which);
  void watch_twin(node& n);
  void compare_with_twin(node& n, call_in_flight& c, bool admitted);

  // the way to the store, see world_network.cpp
  [[nodiscard]] bool cut(const node& n) const noexcept { return n.isolated_until > now_; }
  [[nodiscard]] std::int64_t transit(node& n, std::int64_t from, std::int64_t& last);
  [[nodiscard]] bool breaks(node& n);
  /// Whether what arrives now has to wait because of a partition; then until when.
  [[nodiscard]] bool waits(node& n, std::int64_t& until);
  void send(node& n, fleet::request&& r);
  void at_store(node& n, std::uint32_t which);
  void at_node(node& n, std::uint32_t which);
  void spread(const std::string& text, std::int64_t from);
  void hears(node& n, std::uint64_t detail);
  void connect(node& n, std::uint32_t number);
  void connected(node& n, std::uint32_t number);
  void lose(node& n, std::string_view why);
  void retry_later(node& n, std::int64_t after);
  void reset_connections();
  void note_reach(node& n);
  void wait_for_healing(node& n);
  [[nodiscard]] bool store_answers() const noexcept { return now_ >= down_until_ && now_ >= hung_until_; }
  std::uint32_t put(envelope&& e);
  envelope take(std::uint32_t which);

  const settings settings_;
  std::int64_t now_ = 0;
  const std::int64_t end_;
  event_queue<happening> queue_;
  std::vector<action> plan_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::uint32_t present_ = 0;
  double lived_ = 0;            ///< seconds of all instances together
  std::int64_t counted_to_ = 0;
  random_stream luck_;

  upstream upstream_;
  std::vector<call_in_flight> calls_;
  std::vector<std::uint32_t> free_calls_;

  node_clock store_clock_;
  std::unique_ptr<simulated_store> store_;
  std::int64_t store_free_ = 0;
  std::int64_t store_worked_ = 0;
  std::int64_t down_until_ = 0;
  std::int64_t hung_until_ = 0;
  std::int64_t lossy_until_ = 0;
  double loss_;
  std::vector<envelope> envelopes_;
  std::vector<std::uint32_t> free_envelopes_;
  std::vector<message> news_;
  std::vector<std::uint32_t> free_news_;
  std::vector<fleet::request> out_;
  std::uint64_t messages_ = 0;

  node* seat_ = nullptr;  ///< where the last operator sat
  checker checker_;
  figures figures_;
  fleet::metrics totals_;
  std::uint64_t events_ = 0;
};

}  // namespace switchgear::inline v1::simulation
