// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/state_image.hpp>

#include "layout.hpp"

#include <memory>

namespace switchgear::inline v1::host {
namespace {

/// The bytes, aligned as an image has to be.
std::unique_ptr<file_image> copy_of(std::span<const std::byte> bytes) {
  auto image = std::make_unique<file_image>();
  std::memcpy(static_cast<void*>(image.get()), bytes.data(), sizeof(file_image));
  return image;
}

const char* problem_of(const file_image& image) {
  const char* problem = problem_of_state(image);
  return problem != nullptr ? problem : problem_of_history(image);
}

void use(state_page& page, std::uint64_t seed) {
  constexpr machine::lane_choice by{0, false};
  machine::nanos now = page.clock.timeline;
  for (const verdict v : {verdict::failure, verdict::success, verdict::timeout, verdict::ignored, verdict::abandoned}) {
    page_machine m(page, seed);
    (void)m.machine.observe(now);
    const machine::acquired got = m.machine.acquire(now, by);
    const machine::acquired lost = m.machine.acquire(now, by);
    now = machine::later(now, m.settings.open_duration / 2 + 1);
    m.machine.settle(got.permit, v, now, by);
    now = machine::later(now, m.settings.probe_timeout);
    m.machine.settle(lost.permit, verdict::success, now, by);
  }
  page_machine m(page, seed);
  bool renewed = false;
  m.machine.advance(now);
  m.machine.trip(now);
  m.machine.override_with(state::forced_open, machine::later(now, 5), now, renewed);
  m.machine.override_with(state::disabled, -1, now, renewed);
  m.machine.release(now);
  m.machine.reset(now);
  m.machine.reset_metrics();
  (void)m.machine.metrics();
  page.clock.timeline = now;
}

}  // namespace

std::size_t state_image_bytes() noexcept { return sizeof(file_image); }

std::optional<std::string> problem_of_image(std::span<const std::byte> bytes) {
  if (bytes.size() != sizeof(file_image)) {
    return "it has " + std::to_string(bytes.size()) + " bytes, and a state file of this version has " +
           std::to_string(sizeof(file_image));
  }
  const char* problem = problem_of(*copy_of(bytes));
  return problem == nullptr ? std::nullopt : std::optional<std::string>(problem);
}

void seal_image(std::span<std::byte> bytes) noexcept {
  if (bytes.size() != sizeof(file_image)) return;
  const auto image = copy_of(bytes);
  image->header.checksum = checksum_of(image->header);
  const std::uint64_t number = image->commit.load() >> 16;
  image->commit.store(commit_of(number));
  image->page(number).number = number;
  for (state_page& page : image->pages) page.checksum = checksum_of(page);
  for (history_entry& e : image->history) e.checksum = checksum_of(e);
  std::memcpy(bytes.data(), static_cast<const void*>(image.get()), sizeof(file_image));
}

bool exercise_image(std::span<std::byte> bytes) {
  if (bytes.size() != sizeof(file_image)) return false;
  const auto image = copy_of(bytes);
  if (problem_of(*image) != nullptr) return false;
  state_page& page = image->page(image->commit.load() >> 16);
  use(page, image->header.seed);
  for (const window_size& window : {calls(3), last(std::chrono::seconds(1)), calls(10'000)}) {
    config next = page.configuration.load();
    next.window = window;
    next.minimum_calls.reset();
    if (!next.validate().empty()) continue;
    configure_page(page, next, image->header.seed);
    use(page, image->header.seed);
  }
  std::memcpy(bytes.data(), static_cast<const void*>(image.get()), sizeof(file_image));
  return true;
}

}  // namespace switchgear::inline v1::host
