// SPDX-License-Identifier: Apache-2.0
#include "store_link.hpp"

#include "script.hpp"

#include <switchgear/bus_url.hpp>
#include <switchgear/detail/validation.hpp>

#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;
using real_clock = std::chrono::steady_clock;

constexpr std::chrono::nanoseconds longest_silence = 2s;

redis::options server_of(const std::string& url, std::chrono::nanoseconds timeout) {
  redis::options o = redis::options_of(parse_bus_url(url));
  o.connect_timeout = o.timeout = timeout;
  return o;
}

}  // namespace

store_link::store_link(const std::string& url, const std::string& fleet, std::chrono::nanoseconds timeout,
                       const event_descriptor& wake)
    : server_(server_of(url, timeout)), channel_("sg:{" + fleet + "}:news"), target_(redis::target_of(server_)), wake_(wake) {}

bool store_link::open(const event_descriptor& stop) {
  close();
  auto requests = redis::connection::open(server_, stop.descriptor());
  if (!requests) return false;
  const auto loaded = ask(*requests, {"SCRIPT", "LOAD", script_text()}, stop);
  if (!loaded) return false;
  auto news = redis::connection::open(server_, stop.descriptor());
  if (!news) return false;
  // Before anything is asked: what changes from now on is heard, and what has changed until now the first answer says.
  if (!ask(*news, {"SUBSCRIBE", channel_}, stop)) return false;
  others_ = std::make_unique<any_readable>();
  others_->add(news->descriptor());
  others_->add(wake_.descriptor());
  sha_ = loaded->text;
  requests_ = std::move(requests);
  news_ = std::move(news);
  heard_ = real_clock::now();
  pinged_.reset();
  return true;
}

std::optional<redis::reply> store_link::ask(redis::connection& from, std::initializer_list<std::string_view> words,
                                            const event_descriptor& stop) const {
  from.append(words);
  auto got = from.poll(server_.timeout, stop.descriptor());
  if (got && got->is_error()) throw redis::describe_error(*got, *words.begin());
  if (!got && !stop.is_raised()) {
    throw redis::io_timeout("no answer to " + std::string(*words.begin()) + " within " + format_duration(server_.timeout));
  }
  return got;
}

void store_link::close() noexcept {
  others_.reset();
  requests_.reset();
  news_.reset();
  sent_.clear();
  again_.clear();
}

void store_link::send(std::uint64_t id, std::vector<std::string> arguments) {
  one_request what{id, std::move(arguments)};
  if (again_.empty()) {
    write(std::move(what), false);
  } else {
    again_.push_back(std::move(what));
  }
}

void store_link::write(one_request what, bool with_text) {
  std::vector<std::string_view> words;
  words.reserve(3 + what.arguments.size());
  words.push_back(with_text ? "EVAL" : "EVALSHA");
  words.push_back(with_text ? script_text() : std::string_view(sha_));
  words.push_back("0");
  words.insert(words.end(), what.arguments.begin(), what.arguments.end());
  requests_->append(words);
  sent_.push_back(std::move(what));
}

void store_link::send_again() {
  std::deque<one_request> all = std::exchange(again_, {});
  bool first = true;  // the others find the script there
  for (one_request& what : all) write(std::move(what), std::exchange(first, false));
}

void store_link::take(redis::reply got, incoming& into) {
  if (sent_.empty()) throw redis::io_error("an answer that nobody asked for");
  one_request what = std::move(sent_.front());
  sent_.pop_front();
  if (got.is_error()) {
    if (got.error_code() != "NOSCRIPT") throw redis::describe_error(got, "EVALSHA");
    again_.push_back(std::move(what));
  } else {
    reply texts;
    texts.reserve(got.elements.size());
    for (redis::reply& element : got.elements) texts.push_back(std::move(element.text));
    into.answers.push_back({what.id, std::move(texts)});
  }
  if (sent_.empty() && !again_.empty()) send_again();
}

void store_link::exchange(std::chrono::nanoseconds at_most, incoming& into) {
  if (!is_open()) throw redis::io_error("the connection is closed");
  auto got = requests_->poll(at_most, others_->descriptor());
  for (; got; got = requests_->poll(0ns)) take(std::move(*got), into);
  take_news(into);
}

void store_link::take_news(incoming& into) {
  if (!pinged_ && real_clock::now() - heard_ >= longest_silence) {
    news_->append({"PING"});
    pinged_ = real_clock::now();
  }
  for (auto message = news_->poll(0ns); message; message = news_->poll(0ns)) {
    if (message->is_error()) throw redis::describe_error(*message, "SUBSCRIBE");
    heard_ = real_clock::now();
    pinged_.reset();
    auto& parts = message->elements;
    if (parts.size() == 3 && parts[0].text == "message") into.news.push_back(std::move(parts[2].text));
  }
  if (pinged_ && real_clock::now() - *pinged_ >= server_.timeout) throw redis::io_timeout("no answer to PING");
}

}  // namespace switchgear::inline v1::fleet
