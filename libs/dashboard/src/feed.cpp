// SPDX-License-Identifier: Apache-2.0
#include "feed.hpp"

#include <algorithm>
#include <utility>

namespace switchgear::inline v1::detail {

std::shared_ptr<const std::string> server_sent_event(std::string_view kind, std::string_view json) {
  std::string out;
  out.reserve(kind.size() + json.size() + 17);
  out.append("event: ").append(kind).append("\ndata: ").append(json).append("\n\n");
  return std::make_shared<const std::string>(std::move(out));
}

std::shared_ptr<void> feed::add(stream_writer write, std::shared_ptr<const std::string> first) {
  auto added = std::make_shared<stream>();
  added->write = std::move(write);
  const std::lock_guard lock(all_->mutex);
  all_->streams.push_back(added);
  ++all_->open;
  // From here on the handle ends it, whatever happens.
  std::shared_ptr<void> handle(added.get(), [all = all_, added](void*) {
    const std::lock_guard lock_again(all->mutex);
    end(*all, *added);
    if (!all->telling) forget_ended(*all);
  });
  if (!put(*added, std::move(first))) end(*all_, *added);
  return handle;
}

bool feed::put(const stream& to, std::shared_ptr<const std::string> what) noexcept {
  try {
    return to.write(std::move(what));
  } catch (...) {  // no memory for one stream: the others go on
    return false;
  }
}

void feed::end(list& all, stream& which) {
  if (which.ended) return;
  which.ended = true;
  --all.open;
}

void feed::forget_ended(list& all) {
  // What the writers hold goes when the list is whole again: that may be the last of a connection, with a handle in it.
  std::vector<std::shared_ptr<stream>> gone;
  for (const auto& s : all.streams) {
    if (s->ended) gone.push_back(s);
  }
  std::erase_if(all.streams, [](const auto& s) { return s->ended; });
}

void feed::tell(const std::shared_ptr<const std::string>& what) {
  const std::lock_guard lock(all_->mutex);
  all_->telling = true;
  // By number: a writer may begin another stream. What was added meanwhile has begun with something newer.
  const std::size_t count = all_->streams.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::shared_ptr<stream> one = all_->streams[i];
    if (!one->ended && !put(*one, what)) end(*all_, *one);
  }
  all_->telling = false;
  forget_ended(*all_);
}

}  // namespace switchgear::inline v1::detail
