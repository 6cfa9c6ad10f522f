// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/circuit_breaker.hpp>
#include <switchgear/classifier.hpp>
#include <switchgear/clock.hpp>
#include <switchgear/detail/shared_home.hpp>
#include <switchgear/host/circuit_view.hpp>
#include <switchgear/host/host_clock.hpp>
#include <switchgear/host/shared_options.hpp>
#include <switchgear/host/state_error.hpp>
#include <switchgear/host/state_folder.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::host {

class shared_file;

/// How the names of files of shared circuits end.
inline constexpr std::string_view shared_file_suffix = ".circuits";

/// The file of the circuits shared under that name: `shop` → `shop.circuits`; see file_name_of for other characters.
[[nodiscard]] std::string shared_file_name_of(std::string_view name);

/// Circuits in one memory-mapped file, shared by the processes of one user on one host.
///
///     auto shared = sg::host::shared_circuits::open(folder, "shop");
///     auto payments = shared->breaker("payments", {.failure_threshold = 3});   // one circuit for all workers
///     sg::registry circuits{{.shared = shared}};                               // or all circuits of a registry
///
/// The block, the machine and the cost of a call are those of a breaker in memory: a healthy call reads two words and adds
/// one to a counter of its own thread, without any lock or system call. A process that is killed anywhere leaves circuits
/// that the others go on with; its probes come free when their leases end, and what it counted stays in the sums.
///
/// Making a circuit, removing one and reconfiguring take a lock of the kernel's on the file, for some microseconds; it is
/// waited for for a second at most. Everything else waits for nobody.
///
/// A fork gives the child a place of its own before anything else runs in it. Processes made by clone() or _Fork(), which
/// run no fork handlers, must not use what they inherit. The file has to be on a local file system, and must not be cut
/// while it is open. All who have it open are of one boot of the host and see one CLOCK_MONOTONIC.
///
/// Thread safety: every function, from any thread. Breakers keep the file open; this may go before them.
class shared_circuits final : public detail::home_provider {
 public:
  /// Opens the file of that name (1 … 200 bytes of UTF-8 without control characters) in the folder, or makes it. Throws
  /// config_error for bad options or a bad name; state_error: `refused` for a file that is damaged, of another version or not
  /// private, which is left as it is; `full` when as many processes as it is made for have it open; `system`.
  static std::shared_ptr<shared_circuits> open(const state_folder& folder, std::string_view name,
                                               const shared_options& sizes = {}, clock_source clock = read_steady_host_clock);
  /// Opens it; state_error `missing` when there is none.
  static std::shared_ptr<shared_circuits> open_existing(const state_folder& folder, std::string_view name,
                                                        clock_source clock = read_steady_host_clock);
  /// The same by the name of the file, as shared_files() tells it.
  static std::shared_ptr<shared_circuits> open_file(const state_folder& folder, const std::string& file,
                                                    clock_source clock = read_steady_host_clock);
  ~shared_circuits() override;

  /// A breaker on the circuit of that name, which is made with `initial` when there is none; otherwise the configuration in
  /// force stays, see circuit_breaker::reconfigure. Throws config_error for a bad name or configuration; state_error:
  /// `full`; `busy` when it was removed and another process still uses it; `system` when the disk is full.
  [[nodiscard]] std::unique_ptr<circuit_breaker> breaker(std::string_view name, const config& initial = {},
                                                         classifier rules = {});
  /// The same with another clock than std::chrono::steady_clock, for tests; the clock_source has to read the same one.
  [[nodiscard]] std::unique_ptr<circuit_breaker> breaker(std::string_view name, const config& initial, classifier rules,
                                                         switchgear::clock& clock);
  /// A breaker on a circuit that is there, or null. Throws state_error `refused` when it is damaged.
  [[nodiscard]] std::unique_ptr<circuit_breaker> find(std::string_view name, classifier rules = {});

  /// Takes the circuit out. Breakers that are on it work on, together, until they go; until then the name cannot be used again.
  /// False when there is none. Throws state_error `busy`.
  bool remove(std::string_view name);

  /// All circuits, by name, as they are now; changes nothing. A damaged one is left out.
  [[nodiscard]] std::vector<circuit_view> views() const;
  /// The names of the circuits, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] const std::string& path() const noexcept;
  /// The sizes of the file, which may be others than were asked for.
  [[nodiscard]] shared_options sizes() const noexcept;
  /// How many processes have it open now.
  [[nodiscard]] std::uint32_t processes() const;

  [[nodiscard]] std::unique_ptr<detail::shared_home> home_of(std::string_view name, const config& initial) override;

 private:
  explicit shared_circuits(std::shared_ptr<shared_file> file);
  std::shared_ptr<shared_file> file_;
};

/// What a file of shared circuits holds: the circuits that can be read, by name, and what is wrong with the others.
struct shared_contents {
  std::vector<circuit_view> circuits;
  std::vector<std::string> problems;
};

/// The names of the files of shared circuits in the folder, sorted.
[[nodiscard]] std::vector<std::string> shared_files(const state_folder& folder);

/// Reads one, by the name of the file, without opening a place in it or changing anything; for those who only look. Throws
/// state_error when it cannot be read at all.
[[nodiscard]] shared_contents read_shared_circuits(const state_folder& folder, const std::string& file,
                                                   const clock_source& clock = read_steady_host_clock);

}  // namespace switchgear::inline v1::host
