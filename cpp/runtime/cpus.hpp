// Which CPUs this process may use, and how many.
#pragma once

#include <string>

namespace nnative {

// No setting asks for more threads than this.
constexpr int kMaxThreads = 1024;

// CPUs in this process's affinity mask (taskset, sched_setaffinity).
int affinity_cpus();

// CPUs that the container's quota allows, rounded up; 0 when there is none. Reads cgroup v2 and v1 below `root`, which
// tests replace: the least quota of this process's group and the groups above it.
int quota_cpus(const std::string& root = "");

// The least of CPU affinity, the container's CPU quota and OMP_NUM_THREADS.
int default_num_threads();

// The CPU that this thread runs on; -1 where the system does not say.
int current_cpu();

// Moves this thread to another CPU than this one, if it may use another. It may come back.
void leave_cpu(int cpu);

}  // namespace nnative
