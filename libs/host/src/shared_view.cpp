// SPDX-License-Identifier: Apache-2.0
#include "shared_view.hpp"

#include <switchgear/host/file_name.hpp>
#include <switchgear/machine/figures.hpp>

#include "private_entry.hpp"
#include "shared_home.hpp"
#include "text.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <new>
#include <sys/stat.h>
#include <unistd.h>

namespace switchgear::inline v1::host {
namespace {

using system_time = std::chrono::system_clock::time_point;

system_time time_of(std::int64_t nanoseconds) {
  return system_time(std::chrono::duration_cast<system_time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

class file_source final : public byte_source {
 public:
  file_source(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void read(std::uint64_t at, void* to, std::size_t bytes) const override {
    auto* out = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t n = ::pread(fd_, out, bytes, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw system_error_of(path_ + " cannot be read", errno);
      if (n == 0) throw refusal_of(path_, "it became shorter while it was read");
      out += n;
      at += static_cast<std::uint64_t>(n);
      bytes -= static_cast<std::size_t>(n);
    }
  }

 private:
  int fd_;
  std::string path_;
};

circuit_view view_of(const record_view& r, const config_page& page, const circuit_name& name, machine::nanos now,
                     std::int64_t wall) {
  const record_machine m(r, page, name.seed);
  const auto wall_of = [&](machine::nanos t) { return time_of(std::max<std::int64_t>(0, wall - now) + t); };
  const machine::observation seen = m.machine.observe(now);
  circuit_view view;
  view.configuration = m.configuration;
  view.instance = instance_text(name.seed);
  view.snapshot = machine::figures(seen, m.machine.metrics(), now);
  snapshot& out = view.snapshot;
  out.name = name.view();
  out.state_changes = history_of(r, shared_history_places);
  if (!out.state_changes.empty()) view.reason = out.state_changes.back().reason;
  const auto most = static_cast<std::size_t>(m.configuration.state_history);
  if (out.state_changes.size() > most) {
    out.state_changes.erase(out.state_changes.begin(), out.state_changes.end() - static_cast<std::ptrdiff_t>(most));
  }
  if (seen.last_failure_at >= 0) {
    out.last_failure_time = wall_of(seen.last_failure_at);
    if (last_failure_text t{}; r.fixed().last_failure.read(t)) out.last_failure = one_line(t.text.view(), sizeof t.text.bytes);
  }
  if (m.settings.enabled && (seen.state == state::forced_open || seen.state == state::disabled)) {
    override_text t{};
    const bool told = r.fixed().override_by.read(t) && t.generation == seen.generation;
    out.operator_override.emplace();
    if (told) out.operator_override = override_info{one_line(t.owner.view(), 254), one_line(t.reason.view(), 510), {}};
    if (seen.facts.until >= 0) out.operator_override->until = wall_of(seen.facts.until);
  }
  return view;
}

}  // namespace

record_copy::record_copy(const shared_places& places)
    : memory_(static_cast<std::byte*>(::operator new[](places.record_bytes(), std::align_val_t{64}))),
      view_{memory_.get(), places} {
  std::memset(memory_.get(), 0, places.record_bytes());
}

void record_copy::take(const byte_source& from, std::uint32_t circuit) {
  const std::uint64_t at = view_.places.record_at(circuit);
  for (int tries = 0; tries < 8; ++tries) {
    from.read(at, memory_.get(), view_.places.window_at(0));
    config_page page{};
    if (view_.configuration(page) && page.area < window_areas && page.configuration.load().validate().empty()) {
      // Of the window only what is in use: most are far smaller than there is room for.
      const machine::settings s = machine::resolve(page.configuration.load(), page.configuration.epoch);
      const std::uint32_t words = s.timed_window
                                      ? machine::time_window<std::atomic>::words(s.window_buckets, view_.places.lanes())
                                      : machine::count_window<std::atomic>::words(s.window_calls);
      const std::uint64_t window = view_.places.window_at(page.area);
      from.read(at + window, memory_.get() + window, std::size_t{8} * words);
    }
    std::uint64_t again = 0;
    from.read(at + offsetof(machine::block, word), &again, sizeof again);
    if (machine::state_word{again}.generation() == machine::state_word{view_.block().word.load()}.generation()) return;
  }
}

header_copy read_header(const byte_source& from, std::uint64_t bytes) {
  header_copy out{std::make_unique<shared_header>(), {}};
  if (bytes < sizeof(shared_header)) {
    out.problem = "it is too short to be a file of shared circuits";
    return out;
  }
  from.read(0, static_cast<void*>(out.header.get()), sizeof(shared_header));
  if (const char* problem = problem_of_header(*out.header, bytes)) out.problem = problem;
  return out;
}

shared_contents read_contents(const byte_source& from, const shared_header& header, const moment& at) {
  const shared_places places(sizes_of(header));
  shared_contents out;
  const std::uint64_t boot = header.boot.load(), origin = header.origin.load();
  const bool same_boot = boot == boot_word(at);
  if (same_boot && header.clock_check.load() != clock_check_of(boot, origin)) {
    out.problems.emplace_back("its clock is damaged");
    return out;
  }
  const machine::nanos now = same_boot ? time_since(origin, at) : time_after_boot(header, 0, at);
  record_copy copy(places);
  for (std::uint32_t i = 0; i < places.circuits; ++i) {
    circuit_entry e{};
    const char* problem = nullptr;
    // It may be changing just now.
    for (int tries = 0; tries < 4; ++tries) {
      from.read(places.entry_at(i), static_cast<void*>(&e), sizeof e);
      if (place_word{e.is.load()}.state() != place_state::live) {
        problem = nullptr;
        break;
      }
      circuit_name name{};
      config_page page{};
      problem = problem_of_name(e, name);
      if (problem != nullptr) continue;
      copy.take(from, i);
      problem = problem_of_record(copy.view());
      if (problem != nullptr || !copy.view().configuration(page)) continue;
      std::uint64_t still = 0;
      from.read(places.entry_at(i), &still, sizeof still);
      if (still != e.is.load()) continue;
      out.circuits.push_back(view_of(copy.view(), page, name, now, std::max<std::int64_t>(0, at.wall)));
      break;
    }
    if (problem != nullptr) out.problems.push_back("the circuit in place " + std::to_string(i) + ": " + problem);
  }
  std::sort(out.circuits.begin(), out.circuits.end(),
            [](const auto& a, const auto& b) { return a.snapshot.name < b.snapshot.name; });
  return out;
}

std::string shared_file_name_of(std::string_view name) { return file_name_of(name) + "s"; }

std::vector<std::string> shared_files(const state_folder& folder) { return folder.files(shared_file_suffix); }

shared_contents read_shared_circuits(const state_folder& folder, const std::string& file, const clock_source& clock) {
  const std::string path = (folder.path() / file).string();
  const descriptor fd = open_state_file(folder, file, O_RDONLY);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) throw system_error_of(path + " cannot be examined", errno);
  const file_source source(fd.get(), path);
  const header_copy h = read_header(source, static_cast<std::uint64_t>(info.st_size));
  if (!h.problem.empty()) throw refusal_of(path, h.problem);
  shared_contents out = read_contents(source, *h.header, clock());
  for (std::string& problem : out.problems) problem = path + ": " + problem;
  return out;
}

}  // namespace switchgear::inline v1::host
