// SPDX-License-Identifier: Apache-2.0
// An adapter for a dependency that has none yet: a dictionary that answers one line with one line, over TCP.
#include "check.hpp"

#include <switchgear/adapter.hpp>

#include <boost/asio.hpp>

#include <thread>

namespace sg = switchgear;
using boost::asio::ip::tcp;

// [adapter]
class dictionary {
 public:
  explicit dictionary(std::uint16_t port, sg::adapter_options o = {})
      : port_(port), guarded_("dictionary", "dictionary.127.0.0.1:" + std::to_string(port), std::move(o)) {}

  std::string look_up(const std::string& word, const sg::operation_options& o = {}) const {
    return guarded_.repeat("look_up", "Failed to look up a word", o, [&](const sg::adapter::attempt& call) {
      if (const std::string answer = ask(word); answer != "unknown") return answer;
      throw call.refused("there is no such word", "unknown");
    });
  }
  sg::circuit_breaker& breaker() const { return guarded_.breaker(); }

 private:
  std::string ask(const std::string& word) const {  // plain protocol: knows no breaker, throws what goes wrong
    tcp::iostream line;
    line.expires_after(std::chrono::seconds(2));
    line.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port_));
    line << word << std::endl;
    std::string answer;
    if (!std::getline(line, answer)) throw std::runtime_error(line.error() ? line.error().message() : "no answer");
    return answer;
  }
  std::uint16_t port_;
  sg::adapter guarded_;
};
// [/adapter]

void serve(tcp::acceptor listening, int questions) {  // and is gone
  while (questions-- > 0) {
    tcp::iostream line;
    listening.accept(line.socket());
    std::string word;
    std::getline(line, word);
    line << (word == "fuse" ? "breaks once" : "unknown") << std::endl;
  }
}

int main() {
  boost::asio::io_context io;
  tcp::acceptor listening(io, {boost::asio::ip::address_v4::loopback(), 0});
  const dictionary words(listening.local_endpoint().port(),
                         {.breaker = {.failure_threshold = 2}, .retry = {.max_attempts = 1}});
  std::thread server(serve, std::move(listening), 2);
  expect(words.look_up("fuse") == "breaks once");
  try {
    (void)words.look_up("gizmo");
  } catch (const sg::refused_error& e) {  // it answered, so it is well: no evidence
    std::cout << "refused: " << e.what() << "\n";
    expect(e.code() == "unknown" && words.breaker().snapshot().metrics.failures == 0);
  }
  server.join();
  // [errors]
  for (int i = 0; i < 3; ++i) {
    try {
      (void)words.look_up("fuse", {.correlation_id = "request-7"});
    } catch (const sg::circuit_open_error& e) {  // nobody was asked
      std::cout << "not now: " << e.context().operation << " for " << e.correlation_id() << "\n";
    } catch (const sg::connection_error& e) {
      std::cout << e.what() << "\n";
    }
  }
  // [/errors]
  expect(words.breaker().is_open() && words.breaker().snapshot().metrics.rejections == 1);
}
