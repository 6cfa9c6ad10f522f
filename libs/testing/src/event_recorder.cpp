// SPDX-License-Identifier: Apache-2.0
#include <switchgear/testing/event_recorder.hpp>

namespace switchgear::inline v1::testing {

event_recorder::list::list() : first(new node), last(first) {}

event_recorder::list::~list() {
  while (first != nullptr) delete std::exchange(first, first->next.load());
}

void event_recorder::list::add(const event& e) {
  node* const added = new node;
  added->value = e;
  // Release, both: pair with the acquire loads of those who look.
  last.load(std::memory_order_relaxed)->next.store(added, std::memory_order_release);
  last.store(added, std::memory_order_release);
}

event_recorder::event_recorder() : list_(std::make_shared<list>()), begin_(list_->first) {}

event_recorder::~event_recorder() { stop(); }

template <class F>
void event_recorder::each(const F& f) const {
  const node* at = begin_.load(std::memory_order_acquire);
  while ((at = at->next.load(std::memory_order_acquire)) != nullptr) f(at->value);
}

std::vector<event> event_recorder::events() const {
  std::vector<event> out;
  each([&](const event& e) { out.push_back(e); });
  return out;
}

std::vector<event> event_recorder::events(event_kind kind) const {
  std::vector<event> out;
  each([&](const event& e) {
    if (e.kind == kind) out.push_back(e);
  });
  return out;
}

std::vector<event_kind> event_recorder::kinds() const {
  std::vector<event_kind> out;
  each([&](const event& e) { out.push_back(e.kind); });
  return out;
}

std::vector<std::string> event_recorder::transitions() const {
  std::vector<std::string> out;
  each([&](const event& e) {
    if (!is_transition(e.kind)) return;
    out.push_back(std::string(to_string(e.previous_state)) + ">" + std::string(to_string(e.state)));
  });
  return out;
}

std::size_t event_recorder::count(event_kind kind) const {
  std::size_t n = 0;
  each([&](const event& e) { n += e.kind == kind ? 1 : 0; });
  return n;
}

std::size_t event_recorder::size() const {
  std::size_t n = 0;
  each([&](const event&) { ++n; });
  return n;
}

void event_recorder::forget() { begin_.store(list_->last.load(std::memory_order_acquire), std::memory_order_release); }

void event_recorder::stop() { subscription_.end(); }

}  // namespace switchgear::inline v1::testing
