// SPDX-License-Identifier: Apache-2.0
#include "explorer.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <ucontext.h>
#include <utility>

namespace switchgear::testing {

using explorer_detail::access_kind;

class explorer {
 public:
  explorer(const std::function<void(scenario&)>& build, exploration_limits limits) : build_(build), limits_(limits) {}

  exploration run();

  std::uint32_t new_object() { return objects_++; }
  void wait_for_turn();
  void performed(std::uint32_t object, access_kind kind, std::uint64_t before, std::uint64_t after);
  void fail(std::string what);

  static explorer* active;

 private:
  static constexpr std::size_t max_threads = scenario::max_threads;
  static constexpr std::size_t stack_size = 256 * 1024;
  using thread_set = std::uint32_t;
  using clock = std::array<std::int64_t, max_threads>;

  struct access {
    std::uint32_t object = 0;
    access_kind kind = access_kind::read;
    std::uint64_t value = 0;
  };
  struct event {
    std::uint32_t thread = 0;
    access what;
    std::uint64_t before = 0;
    clock knows{};  ///< for each thread its last event that happens before (or is) this one; -1 = none
  };
  /// A state in the present execution: what was chosen there and what is still to be tried.
  struct node {
    std::uint32_t chosen = 0;
    thread_set enabled = 0;
    thread_set backtrack = 0;
    thread_set done = 0;
    thread_set asleep = 0;
    std::array<access, max_threads> next{};  ///< of the threads asleep or done: what they would do
  };
  enum class end : std::uint8_t { running, complete, redundant, failed };

  static bool independent(const access& a, const access& b) {
    if (a.object != b.object) return true;
    if (a.kind != b.kind) return false;
    return a.kind == access_kind::read || a.kind == access_kind::add ||
           (a.kind == access_kind::store && a.value == b.value);
  }
  static constexpr thread_set one(std::size_t thread) { return thread_set{1} << thread; }

  void execute();
  bool backtrack();
  int choose();
  void find_races(std::size_t index);
  void add_backtrack(std::size_t earlier, std::size_t later);
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const {
    return events_[b].knows[events_[a].thread] >= static_cast<std::int64_t>(a);
  }
  [[nodiscard]] std::string schedule() const;

  static void enter();
  void switch_to(int thread);

  const std::function<void(scenario&)>& build_;
  exploration_limits limits_;
  exploration result_;
  scenario* present_ = nullptr;

  std::vector<node> nodes_;
  std::vector<event> events_;                        ///< kept over executions as far as these have a common beginning
  std::vector<std::vector<std::uint32_t>> touched_;  ///< object → its events
  std::vector<std::size_t> kept_;                    ///< scratch of add_backtrack
  std::size_t position_ = 0;
  std::array<std::size_t, max_threads> steps_{};
  thread_set alive_ = 0;
  std::uint32_t objects_ = 0;
  int current_ = -1;
  bool starting_ = false;
  end ending_ = end::running;

  ucontext_t main_{};
  std::array<ucontext_t, max_threads> fibers_{};
  std::array<std::unique_ptr<char[]>, max_threads> stacks_;
};

explorer* explorer::active = nullptr;

// --- fibers ---

/// To a fiber, or with -1 back to the explorer itself.
void explorer::switch_to(int thread) {
  ucontext_t& from = current_ < 0 ? main_ : fibers_[static_cast<std::size_t>(current_)];
  ucontext_t& to = thread < 0 ? main_ : fibers_[static_cast<std::size_t>(thread)];
  current_ = thread;
  swapcontext(&from, &to);
}

void explorer::enter() {
  explorer& self = *active;
  const auto thread = static_cast<std::size_t>(self.current_);
  self.present_->bodies_[thread]();
  self.alive_ &= ~one(thread);
  self.switch_to(self.starting_ ? -1 : self.choose());
  std::abort();  // nobody resumes a thread that has ended
}

void explorer::wait_for_turn() {
  if (current_ < 0) return;  // building or checking
  const auto thread = static_cast<std::size_t>(current_);
  if (thread == present_->stopped_ && steps_[thread] == present_->stop_after_) {
    alive_ &= ~one(thread);
    result_.stopped = true;
  }
  if (starting_) {
    switch_to(-1);
    return;
  }
  const int next = choose();
  if (next != current_) switch_to(next);
}

// --- one execution ---

/// The thread that goes next; -1 when the execution is over.
int explorer::choose() {
  if (ending_ != end::running) return -1;
  if (position_ >= limits_.steps) {
    fail("more than " + std::to_string(limits_.steps) + " operations in one execution");
    return -1;
  }
  if (position_ < nodes_.size()) return static_cast<int>(nodes_[position_].chosen);
  if (alive_ == 0) {
    ending_ = end::complete;
    return -1;
  }
  node fresh;
  fresh.enabled = alive_;
  if (position_ > 0) {
    const node& parent = nodes_[position_ - 1];
    const thread_set candidates = (parent.asleep | parent.done) & ~one(parent.chosen);
    for (std::size_t q = 0; q < max_threads; ++q) {
      if ((candidates & one(q)) == 0 || !independent(parent.next[q], events_[position_ - 1].what)) continue;
      fresh.asleep |= one(q);
      fresh.next[q] = parent.next[q];
    }
  }
  const thread_set awake = fresh.enabled & ~fresh.asleep;
  if (awake == 0) {
    ending_ = end::redundant;
    return -1;
  }
  const std::uint32_t last = position_ > 0 ? events_[position_ - 1].thread : 0;
  fresh.chosen = (awake & one(last)) != 0 ? last : static_cast<std::uint32_t>(__builtin_ctz(awake));
  fresh.backtrack = one(fresh.chosen);
  nodes_.push_back(fresh);
  return static_cast<int>(fresh.chosen);
}

void explorer::performed(std::uint32_t object, access_kind kind, std::uint64_t before, std::uint64_t after) {
  if (current_ < 0) return;
  const auto thread = static_cast<std::uint32_t>(current_);
  ++steps_[thread];
  const access what{object, kind, after};
  if (position_ < events_.size()) {
    const event& known = events_[position_];
    if (known.thread != thread || known.what.object != object || known.what.kind != kind || known.what.value != after) {
      fail("the scenario is not deterministic: the same schedule led somewhere else");
    }
    ++position_;
    return;
  }
  event e{thread, what, before, {}};
  e.knows.fill(-1);
  for (std::size_t i = events_.size(); i-- > 0;) {
    if (events_[i].thread == thread) {
      e.knows = events_[i].knows;
      break;
    }
  }
  e.knows[thread] = static_cast<std::int64_t>(position_);
  events_.push_back(e);
  if (object >= touched_.size()) touched_.resize(object + 1);
  find_races(position_);
  touched_[object].push_back(static_cast<std::uint32_t>(position_));
  ++position_;
}

/// Looks for earlier events that could as well have come after this one, and completes its clock.
void explorer::find_races(std::size_t index) {
  const event e = events_[index];
  const auto& earlier = touched_[e.what.object];
  clock joined = e.knows;
  for (std::size_t i = earlier.size(); i-- > 0;) {
    const std::size_t j = earlier[i];
    const event& other = events_[j];
    if (!independent(other.what, e.what)) {
      for (std::size_t q = 0; q < max_threads; ++q) joined[q] = std::max(joined[q], other.knows[q]);
      bool racing = e.knows[other.thread] < static_cast<std::int64_t>(j);
      // Not when something between the two is after the one and before the other.
      for (std::size_t k = i + 1; racing && k < earlier.size(); ++k) {
        racing = !(before(j, earlier[k]) && !independent(events_[earlier[k]].what, e.what));
      }
      if (racing) add_backtrack(j, index);
    }
    if (other.what.kind == access_kind::write) break;  // everything before it happens before it
  }
  events_[index].knows = joined;
}

/// The source-set rule: in the state before `earlier`, some thread has to be tried that may begin the sequence of what
/// does not depend on `earlier`, followed by `later`.
void explorer::add_backtrack(std::size_t earlier, std::size_t later) {
  thread_set seen = 0, initials = 0;
  kept_.clear();
  for (std::size_t k = earlier + 1; k <= later; ++k) {
    if (k != later && before(earlier, k)) continue;
    const std::uint32_t thread = events_[k].thread;
    if ((seen & one(thread)) == 0) {
      seen |= one(thread);
      const bool first = std::none_of(kept_.begin(), kept_.end(), [&](std::size_t m) {
        return before(m, k) || (k == later && !independent(events_[m].what, events_[k].what));
      });
      if (first) initials |= one(thread);
    }
    kept_.push_back(k);
  }
  node& state = nodes_[earlier];
  if ((initials & state.backtrack) != 0) return;
  const thread_set awake = initials & ~state.asleep;
  const thread_set pick = awake != 0 ? awake : initials;
  if (pick != 0) {
    state.backtrack |= one(static_cast<std::size_t>(__builtin_ctz(pick)));
  } else {
    state.backtrack |= state.enabled;
  }
}

void explorer::execute() {
  scenario s;
  present_ = &s;
  objects_ = 0;
  build_(s);
  if (s.bodies_.empty() || s.bodies_.size() > max_threads) std::abort();
  position_ = 0;
  steps_.fill(0);
  alive_ = one(s.bodies_.size()) - 1;
  ending_ = end::running;
  for (std::size_t i = 0; i < s.bodies_.size(); ++i) {
    if (!stacks_[i]) stacks_[i] = std::make_unique<char[]>(stack_size);
    getcontext(&fibers_[i]);
    fibers_[i].uc_stack.ss_sp = stacks_[i].get();
    fibers_[i].uc_stack.ss_size = stack_size;
    fibers_[i].uc_link = nullptr;
    makecontext(&fibers_[i], &explorer::enter, 0);
  }
  starting_ = true;
  for (std::size_t i = 0; i < s.bodies_.size(); ++i) switch_to(static_cast<int>(i));
  starting_ = false;
  if (const int first = choose(); first >= 0) switch_to(first);

  result_.longest = std::max<std::uint64_t>(result_.longest, position_);
  if (ending_ == end::complete) {
    ++result_.executions;
    if (s.finally_) s.finally_();
  } else if (ending_ == end::redundant) {
    ++result_.redundant;
  }
  present_ = nullptr;
}

bool explorer::backtrack() {
  while (!nodes_.empty()) {
    const std::size_t depth = nodes_.size() - 1;
    node& last = nodes_.back();
    last.done |= one(last.chosen);
    if (depth < events_.size()) last.next[last.chosen] = events_[depth].what;
    while (events_.size() > depth) {
      touched_[events_.back().what.object].pop_back();
      events_.pop_back();
    }
    const thread_set left = last.backtrack & ~last.done & ~last.asleep;
    if (left != 0) {
      last.chosen = static_cast<std::uint32_t>(__builtin_ctz(left));
      return true;
    }
    nodes_.pop_back();
  }
  return false;
}

exploration explorer::run() {
  do {
    execute();
    if (result_.failure.empty() && result_.executions + result_.redundant > limits_.executions) {
      result_.failure = "not explored completely after " + std::to_string(result_.executions) + " executions (and " +
                        std::to_string(result_.redundant) + " redundant ones)";
    }
  } while (result_.failure.empty() && backtrack());
  return result_;
}

// --- failures ---

void explorer::fail(std::string what) {
  if (!result_.failure.empty()) return;
  ending_ = end::failed;
  result_.failure = what + "\nin execution " + std::to_string(result_.executions + result_.redundant + 1) +
                    ", scheduled so:\n" + schedule();
}

std::string explorer::schedule() const {
  static constexpr std::array<const char*, 4> names{"reads", "changes", "stores", "adds to"};
  std::string text;
  const std::size_t shown = std::min(position_, events_.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const event& e = events_[i];
    std::string object = "#" + std::to_string(e.what.object);
    for (const auto& label : present_->names_) {
      if (label.object == e.what.object) object = label.text;
    }
    std::array<char, 160> line{};
    if (e.what.kind == access_kind::read) {
      std::snprintf(line.data(), line.size(), "  thread %u reads %s: %#llx\n", e.thread, object.c_str(),
                    static_cast<unsigned long long>(e.before));
    } else {
      std::snprintf(line.data(), line.size(), "  thread %u %s %s: %#llx -> %#llx\n", e.thread,
                    names[static_cast<std::size_t>(e.what.kind)], object.c_str(),
                    static_cast<unsigned long long>(e.before), static_cast<unsigned long long>(e.what.value));
    }
    text += line.data();
  }
  return text;
}

exploration explore(const std::function<void(scenario&)>& build, exploration_limits limits) {
  auto self = std::make_unique<explorer>(build, limits);
  explorer* const outer = std::exchange(explorer::active, self.get());
  exploration result = self->run();
  explorer::active = outer;
  return result;
}

void require(bool holds, const char* what) {
  if (!holds) explorer::active->fail(what);
}

void require_equal(std::uint64_t seen, std::uint64_t expected, const char* what) {
  if (seen != expected) {
    explorer::active->fail(std::string(what) + ": expected " + std::to_string(expected) + ", got " +
                           std::to_string(seen));
  }
}

namespace explorer_detail {

std::uint32_t new_object() { return explorer::active != nullptr ? explorer::active->new_object() : 0; }
void wait_for_turn(std::uint32_t) {
  if (explorer::active != nullptr) explorer::active->wait_for_turn();
}
void performed(std::uint32_t object, access_kind kind, std::uint64_t before, std::uint64_t after) {
  if (explorer::active != nullptr) explorer::active->performed(object, kind, before, after);
}

}  // namespace explorer_detail
}  // namespace switchgear::testing
