// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_DOCKER_REGISTRY_H_
#define PLUMB_TESTS_DOCKER_REGISTRY_H_

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "tests/temporary_directory.h"

namespace plumb {

// Debian's docker-registry, in a directory of its own, on a free port of this machine only. It
// ends with this object.
class DockerRegistry {
 public:
  DockerRegistry() {
    // Somebody else may take the port between asking for it and using it.
    for (int tries = 0; tries < 5 && !is_running_; ++tries)
      is_running_ = Start(FreePort());
    EXPECT_TRUE(is_running_) << "docker-registry does not start: is it installed?";
  }
  ~DockerRegistry() {
    if (is_running_) End();
  }
  DockerRegistry(const DockerRegistry&) = delete;
  DockerRegistry& operator=(const DockerRegistry&) = delete;

  // "127.0.0.1:PORT".
  const std::string& host() const { return host_; }

 private:
  static sockaddr_in Loopback(std::uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  static std::uint16_t FreePort() {
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return 0;
    EXPECT_EQ(::bind(probe, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size), 0);
    ::close(probe);
    return ntohs(address.sin_port);
  }

  static bool Answers(std::uint16_t port) {
    const sockaddr_in address = Loopback(port);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return false;
    const bool is_open =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return is_open;
  }

  bool Start(std::uint16_t port) {
    host_ = "127.0.0.1:" + std::to_string(port);
    directory_.Write("registry.yml",
                     "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                     "storage: {filesystem: {rootdirectory: '" +
                         directory_.path() +
                         "/registry'}, delete: {enabled: true}}\nhttp: {addr: '" + host_ + "'}\n");
    std::string program = "docker-registry";
    std::string verb = "serve";
    std::string config = directory_.path() + "/registry.yml";
    const std::array<char*, 4> arguments = {program.data(), verb.data(), config.data(), nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int failed =
        ::posix_spawnp(&process_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return false;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      const bool has_ended = ::waitpid(process_, nullptr, WNOHANG) == process_;
      if (has_ended) return false;
      if (Answers(port)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    End();
    return false;
  }

  void End() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  TemporaryDirectory directory_;
  std::string host_;
  pid_t process_ = -1;
  bool is_running_ = false;
};

}  // namespace plumb

#endif  // PLUMB_TESTS_DOCKER_REGISTRY_H_
