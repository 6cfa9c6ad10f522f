// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/shared_image.hpp>

#include "shared_view.hpp"

#include <algorithm>

namespace switchgear::inline v1::host {
namespace {

class span_source final : public byte_source {
 public:
  explicit span_source(std::span<const std::byte> bytes) : bytes_(bytes) {}
  void read(std::uint64_t at, void* to, std::size_t bytes) const override {
    std::memset(to, 0, bytes);
    if (at < bytes_.size()) std::memcpy(to, bytes_.data() + at, std::min<std::size_t>(bytes, bytes_.size() - at));
  }

 private:
  std::span<const std::byte> bytes_;
};

/// Some moment in the boot that the file says it is from.
moment moment_of(const shared_header& h) {
  moment at;
  at.since_boot = static_cast<std::int64_t>(h.origin.load() + (std::uint64_t{1} << 50));
  at.wall = 1'700'000'000'000'000'000;
  return at;
}

template <class T>
void write_at(std::span<std::byte> bytes, std::uint64_t at, const T& from) {
  if (at + sizeof from <= bytes.size()) std::memcpy(bytes.data() + at, static_cast<const void*>(&from), sizeof from);
}

/// The words as they are, with a checksum that fits.
template <class T, std::size_t N>
void seal(checked_words<N>& of, std::uint64_t key = 0) {
  T held;
  std::memcpy(static_cast<void*>(&held), static_cast<const void*>(of.words), sizeof held);
  of.write(held, key);
}

template <class T>
void seal(text_pair<T>& of) {
  for (auto& place : of.places) seal<typename text_pair<T>::numbered>(place);
}

void use(const record_view& r, const config_page& page, std::uint64_t seed, machine::nanos now) {
  constexpr machine::lane_choice by{0, false};
  record_machine m(r, page, seed);
  for (const verdict v : {verdict::failure, verdict::success, verdict::timeout, verdict::ignored, verdict::abandoned}) {
    (void)m.machine.observe(now);
    const machine::acquired got = m.machine.acquire(now, by);
    const machine::acquired lost = m.machine.acquire(now, by);
    now = machine::later(now, m.settings.open_duration / 2 + 1);
    m.machine.settle(got.permit, v, now, by);
    now = machine::later(now, m.settings.probe_timeout);
    m.machine.settle(lost.permit, verdict::success, now, by);
  }
  bool renewed = false;
  m.machine.advance(now);
  m.machine.trip(now);
  m.machine.override_with(state::forced_open, machine::later(now, 5), now, renewed);
  m.machine.override_with(state::disabled, -1, now, renewed);
  m.machine.release(now);
  m.machine.reset(now);
  m.machine.reset_metrics();
  (void)m.machine.metrics();
}

}  // namespace

std::optional<std::string> problem_of_shared_image(std::span<const std::byte> bytes) {
  const span_source source(bytes);
  const header_copy h = read_header(source, bytes.size());
  if (!h.problem.empty()) return h.problem;
  const shared_contents found = read_contents(source, *h.header, moment_of(*h.header));
  if (!found.problems.empty()) return found.problems.front();
  return std::nullopt;
}

void seal_shared_image(std::span<std::byte> bytes) {
  if (bytes.size() < sizeof(shared_header)) return;
  const span_source source(bytes);
  const auto header = std::make_unique<shared_header>();
  source.read(0, static_cast<void*>(header.get()), sizeof *header);
  header->checksum = checksum_of(*header);
  header->clock_check.store(clock_check_of(header->boot.load(), header->origin.load()));
  write_at(bytes, 0, *header);
  if (problem_of_header(*header, bytes.size()) != nullptr) return;
  const shared_places places(sizes_of(*header));
  record_copy copy(places);
  for (std::uint32_t i = 0; i < places.circuits; ++i) {
    circuit_entry e{};
    source.read(places.entry_at(i), static_cast<void*>(&e), sizeof e);
    seal<circuit_name>(e.named, place_word{e.is.load()}.incarnation());
    write_at(bytes, places.entry_at(i), e);
    if (place_word{e.is.load()}.state() != place_state::live) continue;
    copy.take(source, i);
    shared_record& r = copy.view().fixed();
    for (auto& page : r.pages) seal<config_page>(page);
    seal(r.last_failure);
    seal(r.override_by);
    for (std::uint64_t place = 0; place < shared_history_places; ++place) seal<shared_change>(r.history[place], place);
    write_at(bytes, places.record_at(i), r);
  }
}

bool exercise_shared_image(std::span<std::byte> bytes) {
  if (problem_of_shared_image(bytes)) return false;
  const span_source source(bytes);
  const header_copy h = read_header(source, bytes.size());
  const shared_places places(sizes_of(*h.header));
  record_copy copy(places);
  for (std::uint32_t i = 0; i < places.circuits; ++i) {
    circuit_entry e{};
    source.read(places.entry_at(i), static_cast<void*>(&e), sizeof e);
    circuit_name name{};
    config_page page{};
    if (place_word{e.is.load()}.state() != place_state::live || problem_of_name(e, name) != nullptr) continue;
    copy.take(source, i);
    if (copy.view().configuration(page)) use(copy.view(), page, name.seed, std::int64_t{1} << 50);
  }
  return true;
}

}  // namespace switchgear::inline v1::host
