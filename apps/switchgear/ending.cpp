// SPDX-License-Identifier: Apache-2.0
#include "ending.hpp"

#include <ctime>

ending::ending() {
  sigemptyset(&signals_);
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals_, s);
  sigprocmask(SIG_BLOCK, &signals_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int ending::wait(const std::optional<double>& seconds) const {
  if (!seconds) {
    int by = 0;
    sigwait(&signals_, &by);
    return by;
  }
  const auto whole = static_cast<std::time_t>(*seconds);
  const timespec limit{.tv_sec = whole, .tv_nsec = static_cast<long>((*seconds - static_cast<double>(whole)) * 1e9)};
  const int by = sigtimedwait(&signals_, nullptr, &limit);
  return by > 0 ? by : 0;
}
