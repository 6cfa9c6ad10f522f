// SPDX-License-Identifier: Apache-2.0
#include "shared_layout.hpp"

#include "mapped_file.hpp"

#include <algorithm>

namespace switchgear::inline v1::host {
namespace {

problem out_of_range(const char* key, std::uint32_t value, std::uint32_t most) {
  return {key, std::to_string(value), "1 … " + std::to_string(most), "it is out of range"};
}

}  // namespace

std::vector<problem> shared_options::validate() const {
  std::vector<problem> out;
  const auto check = [&out](const char* key, std::uint32_t value, std::uint32_t most) {
    if (value < 1 || value > most) out.push_back(out_of_range(key, value, most));
  };
  check("max_circuits", max_circuits, 65'536);
  check("max_processes", max_processes, most_processes);
  check("lanes_per_process", lanes_per_process, 16);
  if (out.empty()) {
    if (const std::uint64_t bytes = shared_places(*this).file_bytes(); bytes > most_bytes) {
      out.push_back({"max_circuits", std::to_string(max_circuits), "",
                     "the file would have " + std::to_string(bytes) + " bytes, and at most " + std::to_string(most_bytes) +
                         " are allowed"});
    }
  }
  return out;
}

bool record_view::configuration(config_page& out) const noexcept {
  // Another may put the next one in force and write over this one; then the epoch has moved on.
  for (int tries = 0; tries < 1000; ++tries) {
    const std::uint64_t epoch = block().epoch.load();
    if (fixed().pages[epoch & 1].read(out) && out.configuration.epoch == epoch) return true;
    if (block().epoch.load() == epoch && tries > 2) return false;
  }
  return false;
}

void record_view::write_configuration(const config_page& next) const noexcept {
  fixed().pages[next.configuration.epoch & 1].write(next);
}

record_machine::record_machine(const record_view& record, const config_page& page, std::uint64_t seed)
    : configuration(page.configuration.load()),
      settings(machine::resolve(configuration, page.configuration.epoch)),
      machine(record.block(), record.lanes(), record.places.lanes(), record.window(page.area), &slots, settings, seed) {
  slots.slots = record.fixed().slots;
  slots.count = shared_slots;
}

std::uint64_t boot_word(const moment& at) noexcept { return checksum_of(at.boot.data(), at.boot.size()); }

machine::nanos time_since(std::uint64_t origin, const moment& at) noexcept {
  const auto gone = static_cast<std::int64_t>(static_cast<std::uint64_t>(at.since_boot) - origin);  // modulo 2^64
  return std::clamp<std::int64_t>(gone, 0, machine::latest);
}

machine::nanos time_after_boot(const shared_header& h, machine::nanos last, const moment& at) noexcept {
  const seen_word seen{h.seen.load()};
  stored_clock before{};
  before.boot[0] = static_cast<std::uint8_t>(at.boot[0] + 1);  // another boot than this one, whichever it was
  before.timeline = std::min<std::int64_t>(std::max(last, seen.timeline()), machine::latest);
  before.wall = seen.wall();
  return timeline_at(before, at);
}

std::uint64_t clock_check_of(std::uint64_t boot, std::uint64_t origin) noexcept {
  const std::uint64_t both[2] = {boot, origin};
  return checksum_of(both, sizeof both);
}

const char* problem_of_header(const shared_header& h, std::uint64_t bytes) noexcept {
  if (std::memcmp(h.magic, shared_magic, sizeof shared_magic) != 0) return "it is not a file of shared circuits of switchgear";
  if (h.byte_order != byte_order_mark) return "it was made on a host of another byte order";
  if (h.layout != shared_layout_version) return "it is of another version of switchgear";
  if (h.checksum != checksum_of(h)) return "its header is damaged";
  if (std::any_of(std::begin(h.unused), std::end(h.unused), [](char c) { return c != 0; }) ||
      std::any_of(std::begin(h.unused_too), std::end(h.unused_too), [](char c) { return c != 0; })) {
    return "its header is damaged";
  }
  const shared_options sizes = sizes_of(h);
  if (h.history_places != shared_history_places || !sizes.validate().empty()) return "its sizes are impossible";
  const shared_places places(sizes);
  if (h.record_bytes != places.record_bytes() || h.file_bytes != places.file_bytes()) {
    return "its sizes are not those of this version";
  }
  if (h.file_bytes != bytes) return "its length is not what its header says; it was cut or is not complete";
  return nullptr;
}

shared_options sizes_of(const shared_header& h) noexcept { return {h.max_circuits, h.max_processes, h.lanes_per_process}; }

const char* problem_of_name(const circuit_entry& e, circuit_name& out) noexcept {
  if (!e.named.read(out, place_word{e.is.load()}.incarnation())) return "the name of a circuit in it is damaged";
  if (out.bytes > sizeof out.text || validate_name(out.view())) return "the name in it is no name of a circuit";
  return nullptr;
}

const char* problem_of_record(const record_view& r) noexcept {
  if (r.block().epoch.load() > largest_sequence) return "its configuration is damaged";
  config_page page;
  if (!r.configuration(page)) return "its configuration is damaged";
  if ((page.configuration.flags & ~std::uint64_t{stored_config::all_flags}) != 0 || page.area >= window_areas) {
    return "its configuration is damaged";
  }
  const config c = page.configuration.load();
  if (!c.validate().empty()) return "the configuration in it is invalid";
  if (static_cast<unsigned>(machine::state_word{r.block().word.load()}.state()) > 4) return "the state in it is impossible";
  for (const auto& slot : r.fixed().slots) {
    if ((slot.tag.load() & 3) == 3) return "a probe in it is impossible";
    if (slot.lease.load() >> 4 > static_cast<std::uint64_t>(machine::latest)) return "a probe in it is impossible";
  }
  return nullptr;
}

}  // namespace switchgear::inline v1::host
