// SPDX-License-Identifier: Apache-2.0
//
// One circuit for all processes of a host: a server that forks its workers, a cron job that comes later, somebody who looks.
#include "check.hpp"

#include <switchgear/host/shared_circuits.hpp>
#include <switchgear/registry.hpp>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

namespace sg = switchgear;

namespace {

/// A process of its own that runs `work`.
template <class F>
void in_a_worker(F work) {
  const pid_t worker = ::fork();
  if (worker == 0) {
    work();
    ::_exit(0);
  }
  int status = 1;
  expect(worker > 0 && ::waitpid(worker, &status, 0) == worker && status == 0);
}

}  // namespace

int main() {
  std::string place = (std::filesystem::temp_directory_path() / "switchgear-example-XXXXXX").string();
  expect(::mkdtemp(place.data()) != nullptr);

  // [open]
  // default_state_folder() is where `switchgear status` looks.
  const auto folder = sg::host::state_folder::open_or_create(std::filesystem::path(place) / "state");
  const auto shared = sg::host::shared_circuits::open(folder, "shop");  // shop.circuits, made by whoever comes first

  sg::registry circuits{{.shared = shared}};  // every breaker of this registry lives in the file
  const auto payments = circuits.get("payments", {.failure_threshold = 3});
  // [/open]

  for (int worker = 0; worker < 3; ++worker) {
    in_a_worker([&] { payments->try_acquire().failure("no answer"); });
  }
  expect(payments->is_open());  // one failure of each of three workers
  expect(payments->snapshot().metrics.failures == 3);

  in_a_worker([&] {
    // [cron_job]
    const auto mine = sg::host::shared_circuits::open(folder, "shop");
    const auto guard = mine->breaker("payments");  // one breaker, without a registry
    if (sg::permit p = guard->try_acquire()) {
      p.success();  // … after the work
    } else {
      // the shop knows that payments are down: later, then
    }
    // [/cron_job]
    expect(guard->is_open());
  });

  // [look]
  for (const sg::host::circuit_view& view : shared->views()) {
    expect(view.snapshot.name == "payments" && view.snapshot.state == sg::state::open);
    expect(view.reason == "3 consecutive failures (threshold 3)");
  }
  // [/look]
  std::filesystem::remove_all(place);
}
