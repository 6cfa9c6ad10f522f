// SPDX-License-Identifier: Apache-2.0
#include "shared_table.hpp"

#include <switchgear/host/state_error.hpp>

#include <random>
#include <string>

namespace switchgear::inline v1::host {
namespace {

struct found {
  std::uint32_t index = 0;
  place_word is;
  circuit_name name;
};

std::optional<found> look_up(const shared_file& f, std::string_view name, place_state in) {
  for (std::uint32_t i = 0; i < f.places().circuits; ++i) {
    const circuit_entry& e = f.entry(i);
    found out{.index = i, .is = {e.is.load()}, .name = {}};
    if (out.is.state() != in || !e.named.read(out.name, out.is.incarnation())) continue;
    // The name belongs to the incarnation that was read before it; map() sees to it that it still is that one.
    if (out.name.view() == name) return out;
  }
  return std::nullopt;
}

/// Sets right what somebody left who died, or slept, in a bad moment and what nobody else would notice.
void mend(const record_view& r, std::uint64_t seed, machine::nanos now) {
  const machine::block& b = r.block();
  const machine::state_word w{b.word.load()};
  config_page page;
  if (!r.configuration(page)) return;
  record_machine m(r, page, seed);
  // A reconfiguration that did not come to its last step.
  if (w.clean() && b.judged.load() != b.epoch.load()) m.machine.reconfigured();
  // A window that somebody wrote to who took it for one of another shape.
  word* const window = r.window(page.area);
  if (!m.settings.timed_window) {
    std::uint64_t head = window[0].load();
    if ((head & 0xffff) >= 2 * std::uint64_t{m.settings.window_calls}) window[0].compare_exchange_strong(head, 0);
    return;
  }
  // Others may have a later time than this thread has read; what lies a little ahead comes right by itself.
  constexpr machine::nanos slack = 10'000'000'000;
  const std::uint64_t newest =
      machine::time_window<std::atomic>(window, m.settings, r.places.lanes()).bucket(machine::later(now, slack));
  for (std::uint32_t i = 0; i < m.settings.window_buckets; ++i) {
    std::uint64_t tag = window[3 * i].load();
    if ((tag >> 8 & ((std::uint64_t{1} << 39) - 1)) > newest) window[3 * i].compare_exchange_strong(tag, 0);
  }
}

std::string processes(shared_file& f, const std::vector<std::uint32_t>& places) {
  std::string out;
  for (std::size_t i = 0; i < places.size() && i < 5; ++i) {
    out += (i == 0 ? "process " : ", ") + std::to_string(f.process(places[i]).pid.load());
  }
  if (places.size() > 5) out += " and " + std::to_string(places.size() - 5) + " more";
  return out;
}

/// A place for a new circuit of that name. Under the lock.
std::uint32_t place_for(shared_file& f, std::string_view name) {
  if (const auto old = look_up(f, name, place_state::removed)) {
    if (const auto users = f.users_of(old->index); !users.empty()) {
      throw state_error(state_error::kind::busy, "the circuit \"" + std::string(name) + "\" was removed from " + f.path() +
                                                     ", and " + processes(f, users) +
                                                     " still uses it; the name is free when nobody does");
    }
    return old->index;
  }
  std::optional<std::uint32_t> removed;
  for (std::uint32_t i = 0; i < f.places().circuits; ++i) {
    switch (place_word{f.entry(i).is.load()}.state()) {
      case place_state::live: break;
      case place_state::removed:
        if (!removed && f.users_of(i).empty()) removed = i;
        break;
      default: return i;  // vacant, or its maker died: we have the lock
    }
  }
  if (removed) return *removed;
  throw state_error(state_error::kind::full, f.path() + " is for " + std::to_string(f.places().circuits) +
                                                 " circuits, and has that many; remove some, or make it anew with a larger "
                                                 "max_circuits when nobody has it open");
}

void make(shared_file& f, std::string_view name, const config& initial) {
  const std::uint32_t i = place_for(f, name);
  circuit_entry& e = f.entry(i);
  const place_word before{e.is.load()};
  const std::uint64_t incarnation = before.incarnation() + 1;
  const std::uint64_t used = f.places().window_at(1);  // the other areas when they are
  e.is.store(place_word::make(place_state::making, incarnation).bits);
  try {
    f.take_room_of(i, 0, used);
  } catch (...) {
    e.is.store(place_word::make(place_state::vacant, incarnation).bits);
    throw;
  }
  const record_view r = f.record(i);
  std::memset(static_cast<void*>(r.base), 0, used);
  circuit_name n{};
  n.seed = std::uint64_t{std::random_device{}()} << 32 | std::random_device{}();
  n.bytes = name.size();
  name.copy(n.text, sizeof n.text);
  e.named.write(n, incarnation);
  r.write_configuration({.configuration = stored_config::of(initial, 0), .area = 0});
  r.block().since.store(static_cast<std::uint64_t>(f.timeline(f.read_clock())) << 4);
  e.is.store(place_word::make(place_state::live, incarnation).bits);
}

}  // namespace

std::optional<mapped_circuit> find_circuit(const std::shared_ptr<shared_file>& file, std::string_view name) {
  while (const auto there = look_up(*file, name, place_state::live)) {
    if (!file->map(there->index, there->is)) continue;  // removed meanwhile
    mapped_circuit out(file, there->index, there->name);
    if (const char* problem = problem_of_record(out.record())) {
      throw refusal_of(file->path() + ", circuit \"" + std::string(name) + "\",", problem);
    }
    mend(out.record(), out.seed(), file->timeline(file->read_clock()));
    return out;
  }
  return std::nullopt;
}

mapped_circuit find_or_make_circuit(const std::shared_ptr<shared_file>& file, std::string_view name, const config& initial) {
  for (;;) {
    if (auto there = find_circuit(file, name)) return std::move(*there);
    const shared_file::table_lock lock(*file);
    if (!look_up(*file, name, place_state::live)) make(*file, name, initial);
  }
}

bool remove_circuit(shared_file& file, std::string_view name) {
  const shared_file::table_lock lock(file);
  const auto there = look_up(file, name, place_state::live);
  if (!there) return false;
  file.entry(there->index).is.store(place_word::make(place_state::removed, there->is.incarnation()).bits);
  return true;
}

}  // namespace switchgear::inline v1::host
