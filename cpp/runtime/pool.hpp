// The threads behind the teams: one persistent pool of workers per process, asleep when there is nothing to do.
#pragma once

#include <memory>

#include "runtime/team.hpp"

namespace nnative {

// Threads that a launch may use: default_num_threads() until set_num_threads (1 … kMaxThreads).
int num_threads();
void set_num_threads(int threads);

// Threads that work of the given cost deserves; `nanoseconds` estimates the work on one core. Below a few microseconds
// a thread, sharing costs more than it saves; while the workers sleep, work must be long enough to repay waking them.
int threads_for(double nanoseconds);

// Members of a team of `size`, all awake, that work of the given cost deserves: a function of its arguments alone, so
// that every member comes to the same answer.
int members_for(double nanoseconds, int size);

// Runs body(context, team) on up to `threads` members, the caller among them, in the kernels' floating-point mode. When
// another thread of the process holds the pool the caller works alone: bits do not depend on the number of threads.
void run_team(int threads, const Scratch& scratch, void (*body)(void*, const Team&), void* context);

// A barrier for a part of a team, which waits at it with a Team of its own.
std::unique_ptr<Barrier, void (*)(Barrier*)> make_barrier();

}  // namespace nnative
