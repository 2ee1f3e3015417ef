// The threads behind the teams: one persistent pool of workers per process, asleep when there is nothing to do.
#pragma once

#include <memory>

#include "runtime/team.hpp"

namespace nnative {

// The least of CPU affinity, the container's CPU quota and OMP_NUM_THREADS.
int default_num_threads();
int num_threads();
void set_num_threads(int threads);

// Threads that work of the given cost deserves: below a few microseconds a thread, waking another costs more than it
// saves. `nanoseconds` estimates the work on one core.
int threads_for(double nanoseconds);

// Runs body(context, team) on `threads` members, the caller among them, with denormals flushed to zero. When another
// thread of the process holds the pool the caller works alone: bits do not depend on the number of threads.
void run_team(int threads, const Scratch& scratch, void (*body)(void*, const Team&), void* context);

// A barrier for a part of a team, which waits at it with a Team of its own.
std::unique_ptr<Barrier, void (*)(Barrier*)> make_barrier();

}  // namespace nnative
