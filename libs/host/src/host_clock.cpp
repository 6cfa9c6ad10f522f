// SPDX-License-Identifier: Apache-2.0
#include <switchgear/host/host_clock.hpp>

#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

namespace switchgear::inline v1::host {
namespace {

std::int64_t nanoseconds_of(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::array<std::uint8_t, 16> read_boot_id() {
  std::array<std::uint8_t, 16> id{};
  char text[64] = {};
  const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return id;
  const ssize_t got = ::read(fd, text, sizeof text);
  ::close(fd);
  std::size_t digits = 0;
  for (ssize_t i = 0; i < got && digits < 32; ++i) {
    const int d = digit(text[i]);
    if (d < 0) continue;
    id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | d);
    ++digits;
  }
  return id;
}

moment read_clocks(clockid_t since_boot) {
  static const std::array<std::uint8_t, 16> boot = read_boot_id();
  return {boot, nanoseconds_of(since_boot), std::max<std::int64_t>(0, nanoseconds_of(CLOCK_REALTIME))};
}

}  // namespace

moment read_host_clock() { return read_clocks(CLOCK_BOOTTIME); }

moment read_steady_host_clock() { return read_clocks(CLOCK_MONOTONIC); }

}  // namespace switchgear::inline v1::host
