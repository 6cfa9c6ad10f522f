// SPDX-License-Identifier: Apache-2.0
#include "sabotage.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/errors.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>

namespace switchgear::demo::fleet {
namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds lasts(fault f) {
  switch (f) {
    case fault::none:
    case fault::flush: return 0ms;
    case fault::kill: return 700ms;
    case fault::stop:
    case fault::cut: return 1500ms;
    case fault::restart: return 150ms;
  }
  return 0ms;
}

}  // namespace

sabotage::sabotage(std::string url, std::string name) : url_(std::move(url)), name_(std::move(name)) {
  if (url_.empty()) own_ = std::make_unique<store>();
}

std::vector<std::string> sabotage::leave_what_can_be_done(std::vector<fault>& faults) const {
  std::vector<std::string> left_out;
  const auto leave_out = [&](fault f, const std::string& why) {
    if (std::erase(faults, f) > 0) left_out.push_back(std::string(to_string(f)) + ": " + why);
  };
  if (!own_) {
    for (const fault f : {fault::kill, fault::stop, fault::restart, fault::cut}) {
      leave_out(f, "the Redis is not the demonstration's own");
    }
  } else if (std::ranges::find(faults, fault::cut) != faults.end()) {
    if (const auto why = wires::missing()) leave_out(fault::cut, *why);
  }
  return left_out;
}

void sabotage::isolate(pid_t process) {
  wires_ = std::make_unique<wires>(process);
  own_->listen_also_on(wires_->store_address());
}

void sabotage::start() {
  if (own_) return own_->start();
  try {
    flush_namespace(url_, name_);
  } catch (const error& e) {
    throw std::runtime_error("no use of " + words() + ": " + e.what());
  }
}

std::string sabotage::words() const {
  if (own_) return "a redis-server of its own, pid " + std::to_string(own_->pid());
  return without_secrets(parse_bus_url(url_));
}

std::string sabotage::words_of(fault f) const {
  const std::string pid = own_ ? std::to_string(own_->pid()) : "";
  switch (f) {
    case fault::none: break;
    case fault::kill: return "kill -9 " + pid + ", Redis is dead for 0.7 s and then empty";
    case fault::stop: return "kill -STOP " + pid + ", Redis hangs for 1.5 s";
    case fault::flush: return "Redis has forgotten everything";
    case fault::restart: return "Redis ends and begins again with what it had saved";
    case fault::cut: return "one instance has no wire to Redis for 1.5 s";
  }
  return {};
}

void sabotage::begin(fault f) {
  acting_ = f;
  switch (f) {
    case fault::none: break;
    case fault::kill: own_->kill_and_forget(); break;
    case fault::stop: own_->stop(); break;
    case fault::flush: own_ ? own_->flush() : static_cast<void>(flush_namespace(url_, name_)); break;
    case fault::restart: own_->save_and_end(); break;
    case fault::cut: wires_->cut(); break;
  }
  undo_at_ = std::chrono::steady_clock::now() + lasts(f);
}

bool sabotage::undo_if_due() {
  if (acting_ == fault::none || std::chrono::steady_clock::now() < undo_at_) return false;
  switch (acting_) {
    case fault::none:
    case fault::flush: break;
    case fault::kill:
    case fault::restart: own_->start(); break;
    case fault::stop: own_->resume(); break;
    case fault::cut: wires_->mend(); break;
  }
  acting_ = fault::none;
  return true;
}

void sabotage::clean_up() const noexcept {
  try {
    if (!own_) flush_namespace(url_, name_);
  } catch (const std::exception&) {
    // It forgets the fleet by itself before long.
  }
}

}  // namespace switchgear::demo::fleet
