// SPDX-License-Identifier: Apache-2.0
#include "shared_file.hpp"

#include <switchgear/host/state_error.hpp>

#include "private_entry.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace switchgear::inline v1::host {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1s;
constexpr std::int64_t second = 1'000'000'000;
/// A new timeline starts this far in, so that what a saved state remembers has a time on it.
constexpr std::int64_t beginning = 48 * 3600 * second;
/// The byte that is locked to change the table.
constexpr off_t table_byte = 0;

struct flock byte_lock(short type, off_t at) noexcept {
  struct flock l{};
  l.l_type = type;
  l.l_whence = SEEK_SET;
  l.l_start = at;
  l.l_len = 1;
  return l;
}

void set_clock(shared_header& h, std::uint64_t boot, std::int64_t origin) noexcept {
  h.origin.store(static_cast<std::uint64_t>(origin));
  h.clock_check.store(clock_check_of(boot, static_cast<std::uint64_t>(origin)));
  h.boot.store(boot);
}

void make_file(const state_folder& folder, const std::string& file, const shared_options& sizes, const moment& now) {
  const shared_places places(sizes);
  const auto header = std::make_unique<shared_header>();
  shared_header& h = *header;
  std::memcpy(h.magic, shared_magic, sizeof shared_magic);
  h.layout = shared_layout_version;
  h.byte_order = byte_order_mark;
  h.file_bytes = places.file_bytes();
  h.record_bytes = places.record_bytes();
  h.max_circuits = sizes.max_circuits;
  h.max_processes = sizes.max_processes;
  h.lanes_per_process = sizes.lanes_per_process;
  h.history_places = shared_history_places;
  h.seed = std::uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  h.made_at = now.wall;
  h.checksum = checksum_of(h);
  set_clock(h, boot_word(now), now.since_boot - beginning);
  h.seen.store(seen_word::make(beginning, now.wall).bits);
  const std::string path = (folder.path() / file).string();
  make_private_file(folder, file, [&](int fd) {
    if (::ftruncate(fd, static_cast<off_t>(places.file_bytes())) != 0) throw system_error_of(path + " cannot be made", errno);
    take_room(fd, 0, places.record_at(0), path);
    write_all(fd, header.get(), sizeof h, 0, path);
  });
}

state_error no_place(const std::string& path, std::uint32_t places) {
  return {state_error::kind::full, path + " is for " + std::to_string(places) +
                                       " processes at a time, and that many have it open; end one, or make it anew with a larger "
                                       "max_processes when nobody has it open"};
}

/// Another open file of the same file; -1 when it cannot be had.
int reopen(int fd) noexcept {
  char name[32] = "/proc/self/fd/";
  char digits[12];
  int n = 0;
  for (int rest = fd; rest > 0 || n == 0; rest /= 10) digits[n++] = static_cast<char>('0' + rest % 10);
  for (char* at = name + 14; n > 0;) *at++ = digits[--n];
  return ::open(name, O_RDWR | O_CLOEXEC);
}

}  // namespace

std::shared_ptr<shared_file> shared_file::open(const state_folder& folder, const std::string& file,
                                               const shared_options* make_with, clock_source clock) {
  const std::string path = (folder.path() / file).string();
  const auto open_it = [&] { return open_state_file(folder, file, O_RDWR); };
  descriptor fd;
  try {
    fd = open_it();
  } catch (const state_error& e) {
    if (e.what_kind() != state_error::kind::missing || make_with == nullptr) throw;
    make_file(folder, file, *make_with, clock());
    fd = open_it();
  }
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) throw system_error_of(path + " cannot be examined", errno);
  const auto bytes = static_cast<std::uint64_t>(info.st_size);
  const auto header = std::make_unique<shared_header>();
  const ssize_t got = ::pread(fd.get(), static_cast<void*>(header.get()), sizeof *header, 0);
  if (got < 0) throw system_error_of(path + " cannot be read", errno);
  const char* problem = got != static_cast<ssize_t>(sizeof *header) ? "it is too short to be a file of shared circuits"
                                                                      : problem_of_header(*header, bytes);
  if (problem != nullptr) throw refusal_of(path, problem);
  // Not make_shared: the constructor is private. What it has taken goes back when something below throws.
  const std::shared_ptr<shared_file> f(new shared_file(path, std::move(fd), std::move(clock), bytes, sizes_of(*header)));
  f->follow_clock();
  if (!f->claim_place(f->fd_.get(), f->place_)) throw no_place(path, f->places_.processes);
  f->enter(f->place_);
  f->owns_lanes_ = true;
  const moment at = f->clock_();
  f->note_time(f->timeline(at), at.wall);
  watch_forks(*f);
  f->watched_ = true;
  return f;
}

shared_file::shared_file(std::string path, descriptor fd, clock_source clock, std::uint64_t bytes, const shared_options& sizes)
    : path_(std::move(path)),
      clock_(std::move(clock)),
      places_(sizes),
      bytes_(bytes),
      fd_(std::move(fd)),
      maps_(sizes.max_circuits) {
  void* const at = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (at == MAP_FAILED) throw system_error_of(path_ + " cannot be mapped", errno);
  base_ = static_cast<std::byte*>(at);
}

shared_file::~shared_file() {
  if (watched_) stop_watching_forks(*this);
  ::munmap(base_, bytes_);
}

// --- time ---

machine::nanos shared_file::timeline(const moment& at) const noexcept {
  return time_since(header().origin.load(), at);
}

void shared_file::note_time(machine::nanos timeline, std::int64_t wall) noexcept {
  word& seen = header().seen;
  std::uint64_t before = seen.load(std::memory_order_relaxed);
  const seen_word now = seen_word::make(timeline, std::max<std::int64_t>(0, wall));
  while (seen_word{before}.timeline() < now.timeline() && !seen.compare_exchange_weak(before, now.bits)) {
  }
}

void shared_file::follow_clock() {
  const moment at = clock_();
  const std::uint64_t boot = boot_word(at);
  const auto good = [&] {
    const shared_header& h = header();
    if (h.boot.load() != boot) return false;
    const std::uint64_t origin = h.origin.load();
    if (h.clock_check.load() != clock_check_of(boot, origin)) return false;
    // Where the host does not tell one boot from another, time that went back tells it.
    // Others may have noted a time that is a little later than what this thread has read.
    return time_since(origin, at) + 10 * second >= seen_word{h.seen.load()}.timeline();
  };
  if (good()) return;
  const table_lock lock(*this);
  if (!good()) follow_clock_locked(at, boot);
}

void shared_file::follow_clock_locked(const moment& at, std::uint64_t boot) {
  shared_header& h = header();
  for (std::uint32_t i = 0; i < places_.processes; ++i) {
    if (alive(i)) {
      throw refusal_of(path_, "it is in use by process " + std::to_string(process(i).pid.load()) +
                                  " under another boot or another clock than this one's, or its clock is damaged");
    }
  }
  if (h.clock_check.load() != clock_check_of(h.boot.load(), h.origin.load()) && h.boot.load() == boot) {
    throw refusal_of(path_, "its clock is damaged");
  }
  // Not before anything that is written in it.
  machine::nanos last = std::min<std::int64_t>(seen_word{h.seen.load()}.timeline(), machine::latest);
  for (std::uint32_t i = 0; i < places_.circuits; ++i) {
    if (place_word{entry(i).is.load()}.state() != place_state::live) continue;
    const machine::block& b = record(i).block();
    last = std::max(last, static_cast<machine::nanos>(std::min<std::uint64_t>(b.since.load() >> 4, machine::latest)));
    last = std::max(last, static_cast<machine::nanos>(std::min<std::uint64_t>(b.last_failure_at.load(), machine::latest)));
  }
  const machine::nanos now = time_after_boot(h, last, at);
  set_clock(h, boot, at.since_boot - now);
  h.seen.store(seen_word::make(now, at.wall).bits);
}

// --- places ---

bool shared_file::claim_place(int fd, std::uint32_t& place) const noexcept {
  for (std::uint32_t i = 0; i < places_.processes; ++i) {
    struct flock l = byte_lock(F_WRLCK, static_cast<off_t>(places_.process_at(i)));
    if (::fcntl(fd, F_OFD_SETLK, &l) == 0) {
      place = i;
      return true;
    }
  }
  return false;
}

void shared_file::enter(std::uint32_t place) noexcept {
  // What the one who had it before mapped; nobody else touches these bits while he holds the place.
  for (std::uint32_t i = 0; i < places_.circuits; ++i) {
    word& users = entry(i).users[place / 64];
    const std::uint64_t bit = std::uint64_t{1} << place % 64;
    if ((users.load() & bit) != 0) users.fetch_and(~bit);
  }
  process(place).pid.store(static_cast<std::uint64_t>(::getpid()));
  process(place).since.store(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
}

bool shared_file::alive(std::uint32_t place) const noexcept {
  if (owns_lanes_ && place == place_) return true;
  struct flock l = byte_lock(F_WRLCK, static_cast<off_t>(places_.process_at(place)));
  // One that cannot be asked about lives: nothing is taken from it.
  return ::fcntl(fd_.get(), F_OFD_GETLK, &l) != 0 || l.l_type != F_UNLCK || (shares_place_ && place == place_);
}

bool shared_file::map(std::uint32_t circuit, place_word expected) {
  const std::lock_guard lock(mutex_);
  circuit_entry& e = entry(circuit);
  // The bit first: whoever gives the place to another name says `removed`, then looks at the bits.
  e.users[place_ / 64].fetch_or(std::uint64_t{1} << place_ % 64);
  ++maps_[circuit];
  if (e.is.load() == expected.bits) return true;
  if (--maps_[circuit] == 0 && !shares_place_) e.users[place_ / 64].fetch_and(~(std::uint64_t{1} << place_ % 64));
  return false;
}

void shared_file::unmap(std::uint32_t circuit) noexcept {
  const std::lock_guard lock(mutex_);
  if (--maps_[circuit] != 0 || shares_place_) return;
  entry(circuit).users[place_ / 64].fetch_and(~(std::uint64_t{1} << place_ % 64));
}

std::vector<std::uint32_t> shared_file::users_of(std::uint32_t circuit) noexcept {
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < places_.processes; ++i) {
    word& users = entry(circuit).users[i / 64];
    const std::uint64_t bit = std::uint64_t{1} << i % 64;
    if ((users.load() & bit) == 0) continue;
    if (alive(i)) {
      out.push_back(i);
    } else {
      users.fetch_and(~bit);
    }
  }
  return out;
}

// --- the table ---

shared_file::table_lock::table_lock(shared_file& f) : file_(f), mine_(f.table_, std::defer_lock) {
  if (!f.may_lock_) {
    throw state_error(state_error::kind::system, f.path_ + " could not be opened again after a fork; known circuits work on, "
                                                           "but this process can make, remove and reconfigure none");
  }
  // The lock of the file is that of the process: among its threads the mutex decides.
  const auto end = std::chrono::steady_clock::now() + patience;
  for (auto pause = 50us;; pause = std::min<std::chrono::microseconds>(2 * pause, 5ms)) {
    if (mine_.owns_lock() || mine_.try_lock()) {
      struct flock l = byte_lock(F_WRLCK, table_byte);
      if (::fcntl(f.fd_.get(), F_OFD_SETLK, &l) == 0) return;
      if (errno != EAGAIN && errno != EACCES && errno != EINTR) throw system_error_of(f.path_ + " cannot be locked", errno);
    }
    if (std::chrono::steady_clock::now() >= end) {
      throw state_error(state_error::kind::busy, f.path_ + " is being changed by another process or thread, which did not finish "
                                                           "within a second; one that was stopped in the middle? Try again");
    }
    std::this_thread::sleep_for(pause);
  }
}

shared_file::table_lock::~table_lock() {
  struct flock l = byte_lock(F_UNLCK, table_byte);
  ::fcntl(file_.fd_.get(), F_OFD_SETLK, &l);
}

void shared_file::take_room_of(std::uint32_t circuit, std::uint64_t from, std::uint64_t bytes) const {
  take_room(fd_.get(), static_cast<off_t>(places_.record_at(circuit) + from), bytes, path_);
}

// --- forks ---

void shared_file::listen(fork_listener& who) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(&who);
}

void shared_file::stop_listening(fork_listener& who) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase(listeners_, &who);
}

void shared_file::before_fork() noexcept {
  table_.lock();
  mutex_.lock();
  next_fd_ = reopen(fd_.get());
  next_has_place_ = next_fd_ >= 0 && claim_place(next_fd_, next_place_);
  if (!next_has_place_) return;
  enter(next_place_);
  // Before the child is there: at no moment does it map what nobody knows of.
  for (std::uint32_t i = 0; i < places_.circuits; ++i) {
    if (maps_[i] != 0) entry(i).users[next_place_ / 64].fetch_or(std::uint64_t{1} << next_place_ % 64);
  }
}

void shared_file::after_fork_in_parent() noexcept {
  if (next_fd_ >= 0) ::close(next_fd_);
  next_fd_ = -1;
  if (!next_has_place_) shares_place_ = true;
  mutex_.unlock();
  table_.unlock();
}

void shared_file::after_fork_in_child() noexcept {
  if (next_has_place_) {
    place_ = next_place_;
    shares_place_ = false;
    owns_lanes_ = true;
    inherited_ = descriptor();
    fd_ = descriptor(next_fd_);
    process(place_).pid.store(static_cast<std::uint64_t>(::getpid()));
  } else {
    shares_place_ = true;
    owns_lanes_ = false;
    may_lock_ = next_fd_ >= 0;
    if (next_fd_ >= 0) {
      if (inherited_.get() < 0) inherited_ = std::move(fd_);
      fd_ = descriptor(next_fd_);
    }
  }
  next_fd_ = -1;
  for (fork_listener* const who : listeners_) who->forked(first_lane(), own_lanes());
  mutex_.unlock();
  table_.unlock();
}

}  // namespace switchgear::inline v1::host
