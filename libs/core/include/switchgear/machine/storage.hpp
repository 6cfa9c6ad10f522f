// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/machine.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace switchgear::inline v1::machine {

/// A block that lies elsewhere, e.g. in a file that several processes map, and the part of it that is this process's own.
template <template <class> class Atomic>
struct foreign_block {
  block_header<Atomic>* header = nullptr;
  counter_lane<Atomic>* lanes = nullptr;
  std::uint32_t lane_count = 0;  ///< of all processes, at most 65,536
  std::uint32_t first_lane = 0;  ///< the first that threads of this process may own
  std::uint32_t own_lanes = 0;   ///< how many; 0: none, they share all
  std::uint64_t seed = 0;        ///< the same for all processes
  probe_slot<Atomic>* slots = nullptr;
  std::uint32_t slot_count = 0;  ///< enough for every valid configuration
};

/// One block, in the memory of this process or elsewhere, with the settings it runs under.
///
/// Thread safety: machine() and the machine it gives may be used from any thread, also while another reconfigures.
/// reconfigure() itself takes one caller at a time. A verdict that settles at the very moment at which a reconfiguration
/// replaces the window may be missing from the new one; no counter misses it.
///
/// The settings and windows of before are kept until the end, because a call may still be looking at them: a few hundred
/// bytes for each effective reconfiguration.
template <template <class> class Atomic>
class basic_storage {
 public:
  using word_type = Atomic<std::uint64_t>;

  /// `lanes` 1 … 65,535. `seed` varies the jitter.
  basic_storage(const settings& s, std::uint32_t lanes, std::uint64_t seed)
      : header_(&own_header_),
        lane_count_(lanes),
        own_lanes_(static_cast<std::uint16_t>(lanes)),
        seed_(seed),
        newest_(new regime(s)) {
    auto own_lanes = std::make_unique<counter_lane<Atomic>[]>(lanes);
    auto own_window = std::make_unique<word_type[]>(window_words(s));
    newest_->make_slots(s.half_open_max_calls);
    newest_->slots = &newest_->segment;
    newest_->view = own_window.release();
    lanes_ = own_lanes.release();
    current_.store(newest_.get(), std::memory_order_release);
  }
  /// A block that lies elsewhere, with the window that belongs to the settings. It outlives this.
  basic_storage(const settings& s, const foreign_block<Atomic>& block, word_type* window)
      : header_(block.header),
        lane_count_(block.lane_count),
        own_lanes_(static_cast<std::uint16_t>(block.own_lanes)),
        first_lane_(static_cast<std::uint16_t>(block.first_lane)),
        seed_(block.seed),
        lanes_(block.lanes),
        newest_(new regime(s)) {
    newest_->view = window;
    newest_->segment.slots = block.slots;
    newest_->segment.count = block.slot_count;
    newest_->slots = &newest_->segment;
    current_.store(newest_.get(), std::memory_order_release);
  }
  basic_storage(const basic_storage&) = delete;
  basic_storage& operator=(const basic_storage&) = delete;
  ~basic_storage() {
    if (is_foreign()) return;
    for (regime* r = newest_.get(); r != nullptr; r = r->previous.get()) {
      if (!r->previous || r->view != r->previous->view) delete[] r->view;
      if (r->segment.slots != &r->only_slot) delete[] r->segment.slots;
    }
    delete[] lanes_;
  }

  [[nodiscard]] basic_machine<Atomic> machine() const noexcept {
    // Acquire: pairs with the release store of the constructor and of reconfigure.
    const regime* r = current_.load(std::memory_order_acquire);
    return {*header_, lanes_, lane_count_, r->view, r->slots, r->in_force, seed_};
  }
  [[nodiscard]] const settings& in_force() const noexcept {
    return current_.load(std::memory_order_acquire)->in_force;
  }
  [[nodiscard]] block_header<Atomic>& header() const noexcept { return *header_; }
  [[nodiscard]] counter_lane<Atomic>* lanes() const noexcept { return lanes_; }
  [[nodiscard]] std::uint32_t lane_count() const noexcept { return lane_count_; }
  /// The lanes that threads of this process may own.
  [[nodiscard]] counter_lane<Atomic>* own_lanes() const noexcept { return lanes_ + first_lane_; }
  [[nodiscard]] std::uint32_t own_lane_count() const noexcept { return own_lanes_; }
  [[nodiscard]] std::uint32_t first_own_lane() const noexcept { return first_lane_; }
  /// For the only thread of a process that was just forked: the lanes of its parent are not its own.
  void use_lanes(std::uint32_t first, std::uint32_t count) noexcept {
    first_lane_ = static_cast<std::uint16_t>(first);
    own_lanes_ = static_cast<std::uint16_t>(count);
  }
  [[nodiscard]] word_type* window() const noexcept { return current_.load(std::memory_order_acquire)->view; }

  /// Puts `next` in force. State, generation, permits, attempt, override and consecutive count stay; so do the newest
  /// verdicts that fit when both windows count calls; any other change of window starts it empty.
  void reconfigure(settings next) {
    regime* const old = newest_.get();
    next.epoch = old->in_force.epoch + 1;
    auto fresh = std::make_unique<regime>(next);
    const settings& before = old->in_force;
    const bool same_window = before.timed_window == next.timed_window &&
                             (next.timed_window ? before.window_duration == next.window_duration &&
                                                      before.window_buckets == next.window_buckets
                                                : before.window_calls == next.window_calls);
    fresh->view = old->view;
    if (!same_window) {
      fresh->view = new word_type[window_words(next)]();
      if (!before.timed_window && !next.timed_window) {
        count_window<Atomic>(fresh->view, next.window_calls)
            .adopt(count_window<Atomic>(old->view, before.window_calls), state_word{header_->word.load()}.generation());
      }
    }
    fresh->slots = old->slots;
    slot_segment<Atomic>* last = old->slots;
    std::uint32_t slot_count = last->count;
    while (last->next.load(std::memory_order_acquire) != nullptr) {
      last = last->next.load(std::memory_order_acquire);
      slot_count += last->count;
    }
    if (next.half_open_max_calls > slot_count) {
      // Appended, so that slot indices stay what they are for probes in flight.
      fresh->make_slots(next.half_open_max_calls - slot_count);
      last->next.store(&fresh->segment, std::memory_order_release);
    }
    fresh->previous = std::move(newest_);
    newest_ = std::move(fresh);
    current_.store(newest_.get(), std::memory_order_release);
    machine().reconfigured();
  }

  /// For a block that lies elsewhere: takes up settings that were put in force there, with their own epoch and window.
  void follow(const settings& next, word_type* window) {
    auto fresh = std::make_unique<regime>(next);
    fresh->view = window;
    fresh->slots = newest_->slots;
    fresh->previous = std::move(newest_);
    newest_ = std::move(fresh);
    current_.store(newest_.get(), std::memory_order_release);
  }

 private:
  struct regime {
    explicit regime(const settings& s) : in_force(s) {}
    void make_slots(std::uint32_t count) {
      segment.slots = count > 1 ? new probe_slot<Atomic>[count]() : &only_slot;
      segment.count = count;
    }
    settings in_force;
    word_type* view = nullptr;               ///< the window; this regime's own when `previous` has another
    slot_segment<Atomic>* slots = nullptr;   ///< the first of all
    slot_segment<Atomic> segment;            ///< those that this regime added, none or its own
    probe_slot<Atomic> only_slot{};          ///< most breakers need one
    std::unique_ptr<regime> previous;
  };

  [[nodiscard]] bool is_foreign() const noexcept { return header_ != &own_header_; }
  [[nodiscard]] std::uint32_t window_words(const settings& s) const noexcept {
    return s.timed_window ? time_window<Atomic>::words(s.window_buckets, lane_count_)
                          : count_window<Atomic>::words(s.window_calls);
  }

  block_header<Atomic> own_header_{};
  block_header<Atomic>* header_;
  std::uint32_t lane_count_;
  std::uint16_t own_lanes_;
  std::uint16_t first_lane_ = 0;
  std::uint64_t seed_;
  std::atomic<const regime*> current_{nullptr};
  counter_lane<Atomic>* lanes_ = nullptr;
  std::unique_ptr<regime> newest_;
};

}  // namespace switchgear::inline v1::machine
