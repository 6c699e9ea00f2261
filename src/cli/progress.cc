// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/progress.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "cli/render.h"

namespace plumb::cli {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kRedrawNs = kSecondNs / 10;
constexpr std::int64_t kBarAfterNs = kSecondNs / 5;  // what is over sooner would only flicker
constexpr std::int64_t kLineAfterNs = kSecondNs;
constexpr std::size_t kBarsMax = 8;
constexpr std::size_t kNameWidth = 30;
constexpr std::size_t kBarWidth = 20;

// Terminal control (ECMA-48; line wrap is DEC's private mode 7).
constexpr std::string_view kWrapOff = "\x1b[?7l";
constexpr std::string_view kWrapOn = "\x1b[?7h";
constexpr std::string_view kEraseLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";

struct Work {
  std::string name;  // printable
  std::uint64_t bytes_expected = 0;
  std::int64_t begin_ns = 0;
  std::atomic<std::uint64_t> bytes_done = 0;
  bool announced = false;  // by a plain line; guarded by the mutex of Screen
};

// Cut, or filled up with spaces, to a width in code points.
std::string Fitted(std::string_view text, std::size_t width) {
  std::string fitted;
  std::size_t used = 0;
  while (!text.empty() && used < width) {
    const std::string_view before = text;
    static_cast<void>(TakeCodePoint(text));
    fitted += before.substr(0, before.size() - text.size());
    ++used;
  }
  return fitted + std::string(width - used, ' ');
}

std::string Bar(std::uint64_t done, std::uint64_t expected) {
  const double share = static_cast<double>(done) / static_cast<double>(expected);
  const auto full = static_cast<std::size_t>(share * kBarWidth);
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "]";
}

// "model layer w.bin  [####....]  20%  1.0 GiB of 5.0 GiB  210.0 MiB/s  0:19 left"
std::string BarLine(const Work& work, std::int64_t now_ns) {
  const std::uint64_t expected = work.bytes_expected;
  std::uint64_t done = work.bytes_done;
  if (expected > 0) done = std::min(done, expected);
  const std::int64_t elapsed_ns = now_ns - work.begin_ns;
  std::string line = Fitted(work.name, kNameWidth) + "  ";
  if (expected == 0) {
    return line + FormatSize(done) + "  " + FormatRate(done, elapsed_ns);
  }
  const auto percent =
      static_cast<unsigned>(100.0 * static_cast<double>(done) / static_cast<double>(expected));
  line += Bar(done, expected) + "  " + std::to_string(percent) + "%  " + FormatSize(done) + " of " +
          FormatSize(expected) + "  " + FormatRate(done, elapsed_ns);
  if (done > 0) {
    const double seconds_left = static_cast<double>(elapsed_ns) / static_cast<double>(kSecondNs) *
                                static_cast<double>(expected - done) / static_cast<double>(done);
    line +=
        "  " + FormatDuration(static_cast<std::uint64_t>(std::min(seconds_left, 1e7))) + " left";
  }
  return line;
}

// Standard error, shared by all work that goes on.
class Screen final : public Progress {
 public:
  Screen(host::Terminal& terminal, host::Clock& clock, ProgressOptions options)
      : terminal_(terminal), clock_(clock), options_(std::move(options)) {}
  ~Screen() override {
    const std::lock_guard lock(mutex_);
    Clear();
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  std::unique_ptr<ProgressTask> Begin(std::string_view name,
                                      std::uint64_t bytes_expected) override {
    class Task final : public ProgressTask {
     public:
      Task(Screen& screen, std::unique_ptr<Work> work) : screen_(screen), work_(std::move(work)) {}
      ~Task() override { screen_.End(*work_); }
      Task(const Task&) = delete;
      Task& operator=(const Task&) = delete;
      void Advance(std::uint64_t bytes) override {
        work_->bytes_done += bytes;
        screen_.Tick();
      }

     private:
      Screen& screen_;
      const std::unique_ptr<Work> work_;
    };
    auto work = std::make_unique<Work>();
    work->name = Printable(name);
    work->bytes_expected = bytes_expected;
    work->begin_ns = clock_.MonotonicNs();
    const std::lock_guard lock(mutex_);
    works_.push_back(work.get());
    if (options_.talk == Talk::kVerbose && options_.style == ProgressStyle::kPlain) Announce(*work);
    return std::make_unique<Task>(*this, std::move(work));
  }

  void Warn(std::string_view text) override {
    if (options_.talk == Talk::kJson) {
      Json warning = Json::MakeObject();
      warning.Append("kind", Json::String("warning"));
      warning.Append("message", Json::String(text));
      warning.Append("hint", Json::String(""));
      Say(WriteJson(warning, JsonStyle::kCompact) + "\n");
    } else {
      Say("warning: " + PrintableLines(text) + "\n");
    }
  }

  void Note(std::string_view text) override {
    if (options_.talk == Talk::kQuiet || options_.talk == Talk::kJson) return;
    Say("note: " + PrintableLines(text) + "\n");
  }

  bool StopRequested() const override {
    return options_.stop_requested && options_.stop_requested();
  }

 private:
  void Tick() {
    if (options_.style == ProgressStyle::kNone) return;
    const std::int64_t now_ns = clock_.MonotonicNs();
    if (now_ns < next_draw_ns_) return;
    const std::lock_guard lock(mutex_);
    if (now_ns < next_draw_ns_) return;
    next_draw_ns_ = now_ns + kRedrawNs;
    if (options_.style == ProgressStyle::kBars) {
      Draw(now_ns);
      return;
    }
    for (Work* work : works_) {
      if (!work->announced && now_ns - work->begin_ns >= kLineAfterNs) Announce(*work);
    }
  }

  void End(const Work& work) {
    const std::lock_guard lock(mutex_);
    std::erase(works_, &work);
    const std::int64_t elapsed_ns = clock_.MonotonicNs() - work.begin_ns;
    if (works_.empty()) Clear();
    const bool told = (options_.talk == Talk::kVerbose && options_.style != ProgressStyle::kNone) ||
                      work.announced;
    if (!told) return;
    std::string line = work.name + ": " + FormatSize(work.bytes_done);
    if (work.bytes_done < work.bytes_expected) line += " of " + FormatSize(work.bytes_expected);
    line += " in " + FormatDuration(static_cast<std::uint64_t>(elapsed_ns / kSecondNs)) + "\n";
    Clear();
    Write(line);
  }

  void Announce(Work& work) {
    work.announced = true;
    std::string line = work.name;
    if (work.bytes_expected > 0) line += " (" + FormatSize(work.bytes_expected) + ")";
    Write(line + "...\n");
  }

  // A line of talk. Bars give way to it and are drawn again at the next tick.
  void Say(std::string_view line) {
    const std::lock_guard lock(mutex_);
    Clear();
    Write(line);
  }

  void Clear() {
    if (lines_drawn_ == 0) return;
    Write("\x1b[" + std::to_string(lines_drawn_) + "A\r" + std::string(kEraseBelow));
    lines_drawn_ = 0;
    next_draw_ns_ = 0;
  }

  void Draw(std::int64_t now_ns) {
    std::vector<const Work*> shown;
    for (const Work* work : works_) {
      if (now_ns - work->begin_ns >= kBarAfterNs) shown.push_back(work);
    }
    const std::size_t hidden = shown.size() > kBarsMax ? shown.size() - kBarsMax : 0;
    shown.resize(shown.size() - hidden);

    std::string text(kWrapOff);
    if (lines_drawn_ > 0) text += "\x1b[" + std::to_string(lines_drawn_) + "A\r";
    for (const Work* work : shown)
      text += BarLine(*work, now_ns) + std::string(kEraseLine) + "\n";
    if (hidden > 0)
      text += "and " + std::to_string(hidden) + " more" + std::string(kEraseLine) + "\n";
    text += kEraseBelow;
    text += kWrapOn;
    if (shown.empty() && lines_drawn_ == 0) return;
    lines_drawn_ = shown.size() + (hidden > 0 ? 1 : 0);
    Write(text);
  }

  // Who cannot be told how far the work is need not be told that either.
  void Write(std::string_view text) {
    static_cast<void>(terminal_.Write(host::Stream::kErrors, text));
  }

  host::Terminal& terminal_;
  host::Clock& clock_;
  const ProgressOptions options_;
  std::atomic<std::int64_t> next_draw_ns_ = 0;

  std::mutex mutex_;
  std::vector<Work*> works_;  // in the order in which they began
  std::size_t lines_drawn_ = 0;
};

}  // namespace

std::unique_ptr<Progress> MakeProgress(host::Terminal& terminal, host::Clock& clock,
                                       ProgressOptions options) {
  return std::make_unique<Screen>(terminal, clock, std::move(options));
}

std::string FormatRate(std::uint64_t bytes, std::int64_t elapsed_ns) {
  if (elapsed_ns <= 0) return "0 B/s";
  const double rate =
      static_cast<double>(bytes) * static_cast<double>(kSecondNs) / static_cast<double>(elapsed_ns);
  return FormatSize(static_cast<std::uint64_t>(std::min(rate, 1e18))) + "/s";
}

std::string FormatDuration(std::uint64_t seconds) {
  const auto two_digits = [](std::uint64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  const std::uint64_t minutes = seconds / 60;
  const std::string tail = ":" + two_digits(seconds % 60);
  if (minutes < 60) return std::to_string(minutes) + tail;
  return std::to_string(minutes / 60) + ":" + two_digits(minutes % 60) + tail;
}

}  // namespace plumb::cli
