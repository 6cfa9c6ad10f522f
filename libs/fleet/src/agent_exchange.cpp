// SPDX-License-Identifier: Apache-2.0
// Part of the agent: how it learns what the fleet has decided, and gives it back to a store that forgot.
#include "agent.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t records_a_sync = 500;
constexpr std::size_t records_a_restore = 200;
/// Of one list of a reply.
constexpr std::uint64_t most_items = 10'000;

std::string ms(std::chrono::nanoseconds d) { return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(d).count()); }

}  // namespace

void agent::begin_joining() {
  joining_ = true;
  checking_ = version_ > 0;
  sync_at_ = now_;
  for (const auto& c : circuits_) c->view_changed = true;
}

void agent::ask_sync() {
  // An instance that says nothing for several rounds is gone, one that was held up for a moment is not.
  const std::string life = ms(std::max<nanoseconds>(3s, 8 * options_.exchange_every));
  std::vector<std::string> arguments{std::to_string(version_), life, std::to_string(records_a_sync), life};
  std::vector<std::string> asked;
  std::size_t count = 0;
  const std::size_t at = arguments.size();
  add_evidence(arguments, asked, count);
  arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(at), std::to_string(count));
  add_sights(arguments);
  arguments.push_back(std::to_string(count));
  arguments.insert(arguments.end(), asked.begin(), asked.end());
  syncing_ = send({.what = asks::sync}, "sync", std::move(arguments));
  sync_at_ = now_ + options_.exchange_every;
}

bool agent::understand(const waiting& about, const reply& texts) {
  reply_reader rest(texts);
  const auto head = rest.head();
  if (!head) return false;
  const bool bound = about.what != asks::sync && about.what != asks::restore && about.what != asks::keep;
  if (head->status == status::lost && bound) {
    if (!rest.complete()) return false;
    // Nothing was done. If this is the store that was left behind meanwhile, everything is on its way already.
    if (about.circuit != nullptr) {
      member_circuit& c = *about.circuit;
      if (about.what == asks::open || about.what == asks::recovered) c.deciding = 0;
      if (about.what == asks::operate && c.operated) c.operated->sent_as = 0;
      if (about.what == asks::lease) c.lease = {};
      if (about.what == asks::verdict) keep_lease(c);
    }
    if (about.incarnation == incarnation_ && !joining_) begin_joining();
    return true;
  }
  switch (about.what) {
    case asks::sync: return take_sync(about, *head, rest);
    case asks::open:
    case asks::recovered: return take_decision(about, *head, rest);
    case asks::operate:
    case asks::foreign_operate: return take_operation(about, *head, rest);
    case asks::lease:
    case asks::keep: return take_lease(about, *head, rest);
    case asks::verdict: return take_verdict(about, *head, rest);
    case asks::restore:
      if (head->status != status::done || !rest.complete()) return false;
      if (restoring_ > 0) --restoring_;
      if (restoring_ == 0) sync_at_ = now_;  // for what the others brought meanwhile
      go_on_joining();
      return true;
    case asks::leave: return head->status == status::done && rest.complete();
  }
  return false;
}

bool agent::take_sync(const waiting& about, const reply_head& head, reply_reader& rest) {
  if (head.status != status::ok && head.status != status::more && head.status != status::all) return false;
  const auto members = rest.number(most_items);
  const auto count = rest.number(most_items);
  if (!members || !count) return false;
  std::vector<record> records;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto r = rest.next_record();
    if (!r) return false;
    records.push_back(std::move(*r));
  }
  struct sum {
    std::string name;
    machine::window_totals of_others;
  };
  std::vector<sum> sums;
  const auto sum_count = rest.number(most_items);
  if (!sum_count) return false;
  for (std::uint64_t i = 0; i < *sum_count; ++i) {
    auto name = rest.line();
    const auto calls = rest.number();
    const auto failures = rest.number();
    const auto slow = rest.number();
    if (!name || !calls || !failures || !slow) return false;
    sums.push_back({std::move(*name), {*calls, *failures, *slow}});
  }
  if (!rest.complete()) return false;
  if (head.status != status::all && head.incarnation != about.incarnation) return false;

  // All of it was understood: from here on nothing fails.
  syncing_ = 0;
  figures_.members = static_cast<std::uint32_t>(*members);
  const bool complete = head.status == status::ok || (head.status == status::all && *count < records_a_sync);
  if (head.status == status::all) {
    if (!joining_) begin_joining();
    const bool another = head.incarnation != incarnation_;
    const bool lost = another && !incarnation_.empty();
    incarnation_ = head.incarnation;
    version_ = head.version;
    checking_ = false;
    if (lost) {
      forget_store();
      for (const auto& c : circuits_) keep_leases(*c);
    }
  } else {
    version_ = std::max(version_, head.version);
  }
  for (record& r : records) learn(std::move(r));
  for (const sum& s : sums) {
    if (member_circuit* const c = find(s.name)) judge_evidence(*c, s.of_others);
  }
  if (checking_) {
    // It has not gone back behind what is known here. Whether it has everything else is seen only by looking at all of it.
    checking_ = false;
    forget_store();
    version_ = 0;
    sync_at_ = now_;
  } else if (!complete) {
    sync_at_ = now_;
  } else if (joining_) {
    go_on_joining();
  }
  return true;
}

/// The store's records are all known. Now it gets those that it lacks, and then everything is as it should be.
void agent::go_on_joining() {
  if (!joining_ || restoring_ > 0) return;
  if (has_to_restore_) {
    has_to_restore_ = false;
    give_back_records();
    if (restoring_ > 0) return;
  }
  if (syncing_ != 0) return;
  joined();
}

void agent::give_back_records() {
  std::vector<record> missing;
  for (const auto& c : circuits_) {
    if (c->known.epoch > 0 && !c->in_store) missing.push_back(told_now(c->known, c->due));
    c->in_store = true;
  }
  for (auto& [name, s] : strangers_) {
    if (!s.in_store) missing.push_back(told_now(s.known, s.due));
    s.in_store = true;
  }
  if (missing.empty()) return;
  ++figures_.restores;
  tell(notice::kind::store_lost, "fleet " + options_.name + ": the store had lost " + std::to_string(missing.size()) +
                                     " decisions that are known here; it gets them back");
  for (std::size_t from = 0; from < missing.size(); from += records_a_restore) {
    const std::size_t to = std::min(missing.size(), from + records_a_restore);
    std::vector<std::string> arguments{std::to_string(to - from)};
    for (std::size_t i = from; i < to; ++i) write(missing[i], arguments);
    send({.what = asks::restore}, "restore", std::move(arguments));
    ++restoring_;
  }
}

/// What the store has is found out anew; it gets what it lacks.
void agent::forget_store() {
  has_to_restore_ = true;
  for (const auto& c : circuits_) c->in_store = false;
  for (auto& [name, s] : strangers_) s.in_store = false;
}

void agent::joined() {
  joining_ = false;
  if (figures_.now != link::shared) {
    figures_.now = link::shared;
    tell(notice::kind::shared, "fleet " + options_.name + ": the circuits are shared as " + instance_);
    for (const auto& c : circuits_) c->view_changed = true;
  }
  look_at_all();
}

void agent::news(std::string_view message, nanoseconds now) {
  now_ = std::max(now_, now);
  if (!up_ || incarnation_.empty()) return;
  auto item = read_news(message);
  if (!item) return;  // anybody may publish; what was missed is in the next sync
  if (item->incarnation != incarnation_) {
    if (!joining_) sync_at_ = std::min(sync_at_, now_);  // of the past, or the store was made anew
    return;
  }
  if (item->what.version == version_ + 1) {
    ++version_;
  } else if (item->what.version > version_ + 1 && !joining_) {
    sync_at_ = std::min(sync_at_, now_);
  }
  learn(std::move(item->what));
}

}  // namespace switchgear::inline v1::fleet
