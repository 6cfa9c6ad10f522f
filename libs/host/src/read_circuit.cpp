// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/file_name.hpp>
#include <switchgear/host/state_file.hpp>
#include <switchgear/machine/figures.hpp>

#include "mapped_file.hpp"
#include "private_entry.hpp"
#include "text.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace switchgear::inline v1::host {
namespace {

using system_time = std::chrono::system_clock::time_point;

system_time time_of(std::int64_t nanoseconds) {
  return system_time(std::chrono::duration_cast<system_time::duration>(std::chrono::nanoseconds(nanoseconds)));
}

void read_all(int fd, file_image& image, const std::string& path) {
  auto* to = reinterpret_cast<char*>(&image);
  for (std::size_t at = 0; at < sizeof image;) {
    const ssize_t n = ::pread(fd, to + at, sizeof image - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error_of(path + " cannot be read", errno);
    if (n == 0) throw refusal_of(path, "it became shorter while it was read");
    at += static_cast<std::size_t>(n);
  }
}

std::vector<state_change> history_of(const file_image& image, const state_page& page) {
  std::vector<state_change> out;
  for (std::uint64_t n = page.history_first; n < page.history_next; ++n) {
    const history_entry& e = image.history[n % history_places];
    out.push_back({static_cast<state>(e.from), static_cast<state>(e.to), time_of(e.wall), std::string(e.reason.view()),
                   e.failure_count, e.generation});
  }
  return out;
}

circuit_view view_of(file_image& image, const moment& at) {
  state_page& page = image.page(image.commit.load() >> 16);
  page_machine m(page, image.header.seed);
  const machine::nanos now = timeline_at(page.clock, at);
  const std::int64_t wall = std::max<std::int64_t>(0, at.wall);
  const auto wall_of = [&](machine::nanos t) { return time_of(std::max<std::int64_t>(0, wall - now) + t); };
  const machine::observation seen = m.machine.observe(now);

  circuit_view view;
  view.configuration = m.configuration;
  view.reason = page.reason.view();
  view.instance = instance_text(image.header.seed);
  view.snapshot = machine::figures(seen, m.machine.metrics(), now);
  snapshot& out = view.snapshot;
  out.name.assign(image.header.name, image.header.name_bytes);
  if (seen.last_failure_at >= 0) {
    out.last_failure_time = wall_of(seen.last_failure_at);
    out.last_failure = page.last_failure.view();
  }
  if (m.settings.enabled && (seen.state == state::forced_open || seen.state == state::disabled)) {
    out.operator_override = override_info{std::string(page.owner.view()), view.reason, {}};
    if (seen.facts.until >= 0) out.operator_override->until = wall_of(seen.facts.until);
  }
  out.state_changes = history_of(image, page);
  return view;
}

}  // namespace

circuit_view read_circuit(const state_folder& folder, const std::string& file, const clock_source& clock) {
  const std::string path = (folder.path() / file).string();
  const descriptor fd = open_state_file(folder, file, O_RDONLY);
  auto image = std::make_unique<file_image>();
  moment at;
  {
    const file_lock lock(fd.get(), file_lock::mode::shared, path);
    require_image_size(fd.get(), path);
    read_all(fd.get(), *image, path);
    at = clock();
  }
  const char* problem = problem_of_state(*image);
  if (problem == nullptr) problem = problem_of_history(*image);
  if (problem != nullptr) throw refusal_of(path, problem);
  const std::string name(image->header.name, image->header.name_bytes);
  if (file_name_of(name) != file) throw refusal_of(path, "it is a copy of the file of the circuit \"" + name + "\"");
  return view_of(*image, at);
}

}  // namespace switchgear::inline v1::host
