// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "member_circuit.hpp"
#include "wire.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/fleet/metrics.hpp>
#include <switchgear/fleet/notice.hpp>
#include <switchgear/fleet/options.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace switchgear::inline v1::fleet {

/// What one instance does in its fleet, without any IO: it looks at the instance's circuits, says what to ask the store, and puts
/// in force what the store and the others say. It reads no clock (`now` is the clock of the circuits), never waits, and never
/// throws on what comes from outside.
///
/// How to drive it:
///   connect (requests and the subscription to `news` both) → link_up(now)
///   every next(now), and after each answered() and news():  step(now, out); send what is in `out`, in that order
///   each reply → answered(id, texts, now) · each message → news(text, now)
///   connection lost, error reply → link_down(now, why)
///   is_up() is false after link_down() and when the agent itself gave the store up (no answer within options::patience, or one
///   that makes no sense): close the connection and start over
///   in the end → leave(now, out), send it if there is time
///
/// Requests are not repeated: after a loss everything is decided anew from what the store then says. All of them may be sent
/// once more by a client that does not know whether the first went out (`open`, `recovered`: the epoch has moved on · `lease`,
/// `keep`: the same token · `verdict`: the token has gone · `operate`: the same id · `sync`, `restore`, `leave`: by nature), but
/// not after the reply was given up, and not behind later ones.
///
/// Thread safety: none, one thread at a time. The breakers may be used from any thread meanwhile. Breakers outlive the agent or
/// are removed first; its end leaves every circuit on its own.
class agent {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  /// `instance` is not empty; `seed` is not the same twice (ids and tokens come from it).
  agent(const options& o, std::string instance, std::uint64_t seed);
  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;
  ~agent();

  /// A circuit of this instance; what the fleet is known to have decided about it is in force when this returns. A second
  /// circuit of the same name is not taken.
  bool add(circuit_breaker& breaker);
  /// The breaker goes on alone, and is not touched any more. False when there is none of that name.
  bool remove(std::string_view name);
  [[nodiscard]] std::size_t size() const noexcept { return circuits_.size(); }

  void link_up(nanoseconds now);
  void link_down(nanoseconds now, std::string_view why);
  /// Between link_up() and the loss of the link, whoever noticed it.
  [[nodiscard]] bool is_up() const noexcept { return up_; }

  /// Ids that are not waited for (any more) are passed over.
  void answered(std::uint64_t id, const reply& texts, nanoseconds now);
  void news(std::string_view message, nanoseconds now);
  void step(nanoseconds now, std::vector<request>& out);
  /// How long until step() is wanted at the latest; 0 = now.
  [[nodiscard]] nanoseconds next(nanoseconds now) const;
  /// The last requests: rights that are not used go back, and the others hear that this instance is gone. Then it is down.
  void leave(nanoseconds now, std::vector<request>& out);

  /// An operator's decision about any circuit of the fleet, whether or not this instance has it: `closed` ends an override and
  /// closes an open one. Here it is in force at once. False when the circuit is not of this instance and the link is not shared.
  bool operate(std::string_view name, fleet_state wanted, std::string_view owner, std::string_view reason,
               std::optional<nanoseconds> ttl, nanoseconds now);

  [[nodiscard]] fleet::link link_state() const noexcept { return figures_.now; }
  [[nodiscard]] const metrics& figures() const noexcept { return figures_; }
  [[nodiscard]] const std::string& instance() const noexcept { return instance_; }
  /// What was not taken yet, oldest first; at most 64 are kept.
  [[nodiscard]] std::vector<notice> take_notices();
  /// What the fleet is known to have decided about a circuit, whether or not this instance has it; null: nothing. For dashboards.
  [[nodiscard]] const record* known(std::string_view name) const noexcept;

 private:
  enum class asks : std::uint8_t { sync, open, recovered, operate, foreign_operate, lease, keep, verdict, restore, leave };
  struct waiting {
    asks what = asks::sync;
    member_circuit* circuit = nullptr;  ///< null: none, or it was removed
    std::string name{};                 ///< of the circuit
    std::string incarnation{};          ///< as it was said in the request
    std::uint64_t epoch = 0;            ///< likewise
    std::string token{};                ///< of the lease it is about
    nanoseconds sent{0};
    bool by_evidence = false;
  };

  // agent.cpp: the link, requests, and when what is looked at
  [[nodiscard]] member_circuit* find(std::string_view name) const noexcept;
  /// Whether decisions may be sent: the fleet's are known, and the store knows them too.
  [[nodiscard]] bool may_send() const noexcept { return up_ && figures_.now == link::shared && !joining_; }
  std::uint64_t send(waiting about, std::string_view what, std::vector<std::string> arguments);
  void look_at(member_circuit& c);
  void look_at_all();
  void wake(member_circuit& c, nanoseconds at);
  void tell(notice::kind is, std::string text);
  void flush(std::vector<request>& out);
  /// No link from now on.
  void go_alone();
  [[nodiscard]] std::string random_id();
  void nonsense(const waiting& about);

  // agent_exchange.cpp: sync, news, restore
  bool understand(const waiting& about, const reply& texts);
  bool take_sync(const waiting& about, const reply_head& head, reply_reader& rest);
  void ask_sync();
  void begin_joining();
  void give_back_records();
  void go_on_joining();
  void joined();
  void forget_store();

  // agent_records.cpp: what the fleet decided, put in force
  void learn(record r);
  void take_over(member_circuit& c, record r, bool to_apply);
  void remember(record r);
  void apply(member_circuit& c);
  bool apply_open(member_circuit& c, const detail::glance& g);
  bool apply_closed(member_circuit& c, const detail::glance& g);
  bool apply_override(member_circuit& c, const detail::glance& g);
  [[nodiscard]] bool concerns(const member_circuit& c, const detail::glance& g) const noexcept;
  void run_ramp(member_circuit& c);
  [[nodiscard]] record told_now(const record& known, nanoseconds due) const;
  [[nodiscard]] static std::uint64_t turned_away(const circuit_breaker& b);

  // agent_decisions.cpp: what was decided here, told to the fleet
  void account(member_circuit& c, const detail::glance& g);
  [[nodiscard]] static bool is_new(const member_circuit& c, const detail::glance& g) noexcept;
  [[nodiscard]] static bool ended_by_time(const member_circuit& c, const detail::glance& g) noexcept;
  /// The store knows less than it did, and may not have noticed.
  bool went_back(const waiting& about, const record& r);
  [[nodiscard]] static bool by_operator(const member_circuit& c, const detail::glance& g) noexcept;
  void note_change(member_circuit& c, const detail::glance& g);
  void note_operator(member_circuit& c, const detail::glance& g);
  void note_renewal(member_circuit& c, const detail::glance& g);
  void begin_operation(member_circuit& c, const detail::glance& g);
  void send_operation(member_circuit& c);
  void decide(member_circuit& c, const detail::glance& g);
  void send_open(member_circuit& c, std::uint64_t generation, nanoseconds open_for, std::uint32_t attempt,
                 std::uint32_t failure_count, fleet_cause cause, std::string_view reason);
  void judge_evidence(member_circuit& c, const machine::window_totals& of_others);
  bool take_decision(const waiting& about, const reply_head& head, reply_reader& rest);
  bool take_operation(const waiting& about, const reply_head& head, reply_reader& rest);
  void after_loss(member_circuit& c);

  // agent_leases.cpp: who may probe
  void conduct(member_circuit& c);
  void ask_lease(member_circuit& c, const detail::glance& g);
  void follow_gate(member_circuit& c, detail::glance g);
  void withdraw(member_circuit& c, machine::gate_word::phase to);
  void end_lease(member_circuit& c, machine::gate_word gate);
  void settle_lease(member_circuit& c);
  void drop_lease(member_circuit& c, bool still_out);
  void keep_lease(member_circuit& c);
  void keep_leases(member_circuit& c);
  void send_keep(member_circuit& c, const std::string& token, std::uint64_t epoch, nanoseconds ends);
  bool take_lease(const waiting& about, const reply_head& head, reply_reader& rest);
  bool take_verdict(const waiting& about, const reply_head& head, reply_reader& rest);
  [[nodiscard]] nanoseconds longest_probe(const member_circuit& c) const noexcept;
  [[nodiscard]] nanoseconds lease_time(nanoseconds believed) const noexcept;

  // agent_sight.cpp: what is told in passing
  void add_evidence(std::vector<std::string>& arguments, std::vector<std::string>& asked, std::size_t& count) const;
  void add_sights(std::vector<std::string>& arguments);

  const options options_;
  const std::string instance_;
  std::uint64_t random_;
  std::vector<std::unique_ptr<member_circuit>> circuits_;
  std::unordered_map<std::string_view, member_circuit*> by_name_;  ///< the keys are their names
  /// A decision about a circuit that is not here.
  struct stranger {
    record known;
    nanoseconds due{0};
    bool in_store = true;
  };
  std::map<std::string, stranger, std::less<>> strangers_;
  bool forgot_strangers_ = false;  ///< there were too many

  metrics figures_;
  std::vector<notice> notices_;
  nanoseconds now_{0};
  nanoseconds wake_at_{0};  ///< the soonest of the circuits

  bool up_ = false;
  bool joining_ = false;            ///< the fleet's decisions are still coming
  bool checking_ = false;           ///< first comes what is new, so that a store that went back in time is found out
  bool has_to_restore_ = false;     ///< the store lacks decisions that are known here
  std::string incarnation_;
  std::uint64_t version_ = 0;       ///< up to which everything is known
  std::uint64_t syncing_ = 0;       ///< id of the sync that waits for its reply
  std::size_t restoring_ = 0;       ///< keeps and restores that wait for theirs
  nanoseconds sync_at_{0};
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, waiting> waiting_;
  std::vector<request> outbox_;

  std::size_t next_view_ = 0;
  std::vector<std::string> gone_views_;
};

}  // namespace switchgear::inline v1::fleet
