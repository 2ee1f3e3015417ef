// The pool under ThreadSanitizer: scripts/run_tsan.sh. Threads launch side by side; within a launch every member writes
// its cell between two barriers and reads all others after the second.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "runtime/pool.hpp"

namespace {

using nnative::Team;

struct Launch {
  int rounds;
  std::vector<int> cells;
  std::atomic<int> members{0};
};

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "pool_stress: %s\n", what);
  std::abort();
}

void body(void* context, const Team& team) {
  Launch& launch = *static_cast<Launch*>(context);
  launch.members.fetch_add(1);
  auto* shared = static_cast<long*>(team.shared);
  auto* own = static_cast<long*>(team.own);
  *own = team.rank;
  for (int round = 1; round <= launch.rounds; ++round) {
    launch.cells[static_cast<std::size_t>(team.rank)] = round;
    if (team.rank == round % team.size) *shared = round;
    barrier(team);
    for (int i = 0; i < team.size; ++i) require(launch.cells[static_cast<std::size_t>(i)] == round, "a member missed");
    require(*shared == round, "shared scratch lost a write");
    barrier(team);
  }
  require(*own == team.rank, "own scratch is shared");
}

void launches(int count, int most_threads) {
  for (int i = 0; i < count; ++i) {
    const int threads = 1 + i % most_threads;
    Launch launch{i % 7, std::vector<int>(static_cast<std::size_t>(threads)), {}};
    nnative::run_team(threads, {sizeof(long), sizeof(long)}, body, &launch);
    const int members = launch.members;
    require(members == threads || members == 1, "the team is neither whole nor alone");
    if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // lets the workers fall asleep
  }
}

}  // namespace

int main() {
  launches(500, 5);
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) callers.emplace_back(launches, 300, 4);
  for (std::thread& caller : callers) caller.join();
#ifndef NNATIVE_TSAN  // a sanitizer's child cannot start threads
  if (const pid_t child = fork(); child == 0) {
    launches(100, 3);
    _exit(0);
  } else {
    int status = -1;
    waitpid(child, &status, 0);
    require(status == 0, "the forked child failed");
  }
#endif
  std::puts("pool_stress: passed");
  return 0;
}
