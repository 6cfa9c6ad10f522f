// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/host/host_clock.hpp>
#include <switchgear/host/state_folder.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "mapped_file.hpp"
#include "shared_layout.hpp"

namespace switchgear::inline v1::host {

/// What has to know at a fork that this is now the child.
class fork_listener {
 public:
  /// In the only thread of the child: the lanes that are now this process's own.
  virtual void forked(std::uint32_t first_lane, std::uint32_t own_lanes) noexcept = 0;

 protected:
  ~fork_listener() = default;
};

/// A file of shared circuits that this process has mapped, with its place among the processes.
///
/// The place is held by a lock on its first byte that belongs to the open file (F_OFD_SETLK), so the kernel gives it back
/// when the process ends, however it ends. A fork gives the child a place and an open file of its own, before it runs
/// anything else; if there is none, the child keeps what its parent opened, so that the parent's place stays taken as long
/// as either lives, and owns no lanes.
///
/// Thread safety: every function, from any thread.
class shared_file : public std::enable_shared_from_this<shared_file> {
 public:
  /// Opens it; makes it when there is none and `make_with` is given. Throws state_error.
  static std::shared_ptr<shared_file> open(const state_folder& folder, const std::string& file, const shared_options* make_with,
                                           clock_source clock);
  shared_file(const shared_file&) = delete;
  shared_file& operator=(const shared_file&) = delete;
  ~shared_file();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const shared_places& places() const noexcept { return places_; }
  [[nodiscard]] shared_header& header() const noexcept { return *reinterpret_cast<shared_header*>(base_); }
  [[nodiscard]] process_place& process(std::uint32_t i) const noexcept {
    return *reinterpret_cast<process_place*>(base_ + places_.process_at(i));
  }
  [[nodiscard]] circuit_entry& entry(std::uint32_t i) const noexcept {
    return *reinterpret_cast<circuit_entry*>(base_ + places_.entry_at(i));
  }
  [[nodiscard]] record_view record(std::uint32_t i) const noexcept { return {base_ + places_.record_at(i), places_}; }

  [[nodiscard]] std::int64_t origin() const noexcept { return static_cast<std::int64_t>(header().origin.load()); }
  [[nodiscard]] moment read_clock() const { return clock_(); }
  [[nodiscard]] machine::nanos timeline(const moment& at) const noexcept;
  /// Remembers that it is now, for the time after a reboot.
  void note_time(machine::nanos timeline, std::int64_t wall) noexcept;

  [[nodiscard]] std::uint32_t place() const noexcept { return place_; }
  [[nodiscard]] std::uint32_t first_lane() const noexcept { return owns_lanes_ ? place_ * places_.lanes_each : 0; }
  [[nodiscard]] std::uint32_t own_lanes() const noexcept { return owns_lanes_ ? places_.lanes_each : 0; }
  /// Whether a process has the place now.
  [[nodiscard]] bool alive(std::uint32_t place) const noexcept;

  /// The right to change the table and the configurations; waits for it for about a second, then throws state_error `busy`.
  class table_lock {
   public:
    explicit table_lock(shared_file& f);
    table_lock(const table_lock&) = delete;
    table_lock& operator=(const table_lock&) = delete;
    ~table_lock();

   private:
    shared_file& file_;
    std::unique_lock<std::mutex> mine_;
  };
  /// Takes the room of a part of a circuit on the disk, so that a full disk is an error now and no signal later; under the
  /// lock.
  void take_room_of(std::uint32_t circuit, std::uint64_t from, std::uint64_t bytes) const;

  /// Says that this process maps the circuit, so that its place is not given to another name. False when it is no longer in
  /// that incarnation. As often as it was said, it has to be taken back.
  [[nodiscard]] bool map(std::uint32_t circuit, place_word expected);
  void unmap(std::uint32_t circuit) noexcept;
  /// The living processes that map it; forgets the others. Under the lock.
  [[nodiscard]] std::vector<std::uint32_t> users_of(std::uint32_t circuit) noexcept;

  void listen(fork_listener& who);
  void stop_listening(fork_listener& who) noexcept;

  // For the handlers of a fork.
  void before_fork() noexcept;
  void after_fork_in_parent() noexcept;
  void after_fork_in_child() noexcept;

 private:
  shared_file(std::string path, descriptor fd, clock_source clock, std::uint64_t bytes, const shared_options& sizes);
  void follow_clock();
  void follow_clock_locked(const moment& at, std::uint64_t boot);
  [[nodiscard]] bool claim_place(int fd, std::uint32_t& place) const noexcept;
  void enter(std::uint32_t place) noexcept;

  const std::string path_;
  const clock_source clock_;
  const shared_places places_;
  std::uint64_t bytes_;
  descriptor fd_;         ///< its open file holds the place, unless `inherited_` does
  descriptor inherited_;  ///< the parent's, kept by a child that found no place
  std::byte* base_ = nullptr;
  std::uint32_t place_ = 0;
  bool owns_lanes_ = false;
  bool watched_ = false;
  bool shares_place_ = false;  ///< with a parent or child: what this one no longer maps the other may
  bool may_lock_ = true;       ///< false in a child whose open file is still that of its parent

  std::mutex table_;
  std::mutex mutex_;  ///< of the two below
  std::vector<std::uint32_t> maps_;
  std::vector<fork_listener*> listeners_;

  int next_fd_ = -1;  ///< what was opened for the child of a fork that is being made
  std::uint32_t next_place_ = 0;
  bool next_has_place_ = false;
};

/// From here on it hears of forks, until it is taken away.
void watch_forks(shared_file& f);
void stop_watching_forks(shared_file& f) noexcept;

}  // namespace switchgear::inline v1::host
