// SPDX-License-Identifier: Apache-2.0
#include "shared_home.hpp"

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/detail/breaker_access.hpp>

#include <algorithm>

namespace switchgear::inline v1::host {
namespace {

using machine::count_window;
using wall_time = std::chrono::system_clock::time_point;

std::int64_t nanoseconds_of(wall_time t) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count());
}

wall_time time_of(std::int64_t nanoseconds) {
  return wall_time(std::chrono::duration_cast<wall_time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

config_page page_of(const mapped_circuit& c) {
  config_page page;
  if (!c.record().configuration(page)) {
    throw refusal_of(c.file().path() + ", circuit \"" + std::string(c.name()) + "\",", "its configuration is damaged");
  }
  return page;
}

bool same_window(const config& a, const config& b) {
  return a.window == b.window && (!a.window.timed || a.window_buckets == b.window_buckets);
}

/// Empties an area that is not in force and takes over what fits of the one that is.
void prepare_window(const record_view& r, std::uint64_t area, std::uint64_t in_force, const config& before, const config& next) {
  word* const fresh = r.window(area);
  for (std::uint64_t i = 0; i < r.places.window_words(); ++i) fresh[i].store(0, std::memory_order_relaxed);
  if (before.window.timed || next.window.timed) return;
  count_window<std::atomic>(fresh, static_cast<std::uint32_t>(next.window.calls))
      .adopt(count_window<std::atomic>(r.window(in_force), static_cast<std::uint32_t>(before.window.calls)),
             machine::state_word{r.block().word.load()}.generation());
}

}  // namespace

file_home::file_home(mapped_circuit where) : where_(std::move(where)) { where_.file().listen(*this); }

file_home::~file_home() { where_.file().stop_listening(*this); }

machine::foreign_block<std::atomic> file_home::block() const noexcept {
  const record_view r = where_.record();
  const shared_file& f = where_.file();
  return {.header = &r.block(),
          .lanes = r.lanes(),
          .lane_count = f.places().lanes(),
          .first_lane = f.first_lane(),
          .own_lanes = f.own_lanes(),
          .seed = where_.seed(),
          .slots = r.fixed().slots,
          .slot_count = shared_slots};
}

void file_home::forked(std::uint32_t first_lane, std::uint32_t own_lanes) noexcept {
  if (breaker_ != nullptr) detail::breaker_access::use_lanes(*breaker_, first_lane, own_lanes);
}

detail::shared_regime file_home::regime() const {
  const config_page page = page_of(where_);
  return {page.configuration.load(), page.configuration.epoch, where_.record().window(page.area)};
}

void file_home::reconfigure(const config& next) {
  const shared_file::table_lock lock(where_.file());
  const record_view r = where_.record();
  const config_page before = page_of(where_);
  const config old = before.configuration.load();
  if (old == next) return;
  config_page page{.configuration = stored_config::of(next, before.configuration.epoch + 1), .area = before.area};
  if (!same_window(old, next)) {
    page.area = (before.area + 1) % window_areas;
    where_.file().take_room_of(where_.index(), r.places.window_at(page.area), r.places.window_words() * 8);
    prepare_window(r, page.area, before.area, old, next);
  }
  r.write_configuration(page);
  record_machine(r, page, where_.seed()).machine.reconfigured();
}

void file_home::add(const machine::transition& t, std::string_view reason, wall_time when) noexcept {
  shared_change entry{};
  entry.generation = t.generation;
  entry.wall = nanoseconds_of(when);
  entry.failure_count = t.failure_count;
  entry.from = static_cast<std::uint8_t>(t.from);
  entry.to = static_cast<std::uint8_t>(t.to);
  entry.reason.set(reason);
  const std::uint64_t place = t.generation % shared_history_places;
  auto& at = where_.record().fixed().history[place];
  // One that slept for a whole lap of the ring does not write over a newer one.
  if (shared_change there; at.read(there, place) && there.generation > entry.generation) return;
  at.write(entry, place);
  where_.file().note_time(t.at, nanoseconds_of(std::chrono::system_clock::now()));
}

std::vector<state_change> history_of(const record_view& record, std::int64_t most) {
  std::vector<state_change> out;
  const std::uint64_t now = machine::state_word{record.block().word.load()}.generation();
  for (std::uint64_t place = 0; place < shared_history_places; ++place) {
    shared_change e{};
    if (!record.fixed().history[place].read(e, place)) continue;
    // Its place tells the generation but for whole laps; older ones are left from a writer that died half way.
    const bool fits = e.generation % shared_history_places == place;
    if (!fits || e.generation > now || e.generation + shared_history_places <= now) continue;
    if (e.from > 4 || e.to > 4 || e.wall < 0 || !e.reason.valid()) continue;
    out.push_back({static_cast<state>(e.from), static_cast<state>(e.to), time_of(e.wall), std::string(e.reason.view()),
                   e.failure_count, e.generation});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.generation < b.generation; });
  if (static_cast<std::int64_t>(out.size()) > most) out.erase(out.begin(), out.end() - most);
  return out;
}

std::vector<state_change> file_home::history() const {
  return history_of(where_.record(), page_of(where_).configuration.state_history);
}

void file_home::note_failure(std::string_view text) noexcept {
  // Without memory of its own: this is on the way of every failure. Readers see to it that it is one line.
  last_failure_text t{};
  std::size_t size = std::min<std::size_t>(text.size(), 47);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  text.copy(t.text.bytes, size);
  t.text.length = static_cast<std::uint16_t>(size);
  where_.record().fixed().last_failure.write(t);
}

std::string file_home::last_failure() const {
  last_failure_text t{};
  return where_.record().fixed().last_failure.read(t) ? one_line(t.text.view(), sizeof t.text.bytes) : std::string();
}

void file_home::note_override(std::uint64_t generation, const detail::override_note& note) noexcept {
  override_text t{};
  t.generation = generation;
  t.owner.set(note.owner);
  t.reason.set(note.reason);
  where_.record().fixed().override_by.write(t);
}

std::optional<detail::override_note> file_home::override_of(std::uint64_t generation) const {
  override_text t{};
  if (!where_.record().fixed().override_by.read(t) || t.generation != generation) return std::nullopt;
  return detail::override_note{std::string(t.owner.view()), std::string(t.reason.view())};
}

}  // namespace switchgear::inline v1::host
