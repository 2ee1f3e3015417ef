#include "runtime/cpus.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

namespace nnative {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

double ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : kUnlimited; }

// "max 100000" or "150000 100000"
double quota_v2(const std::string& group) {
  std::ifstream file(group + "/cpu.max");
  std::string quota;
  double period = 0;
  return file >> quota >> period && quota != "max" ? ratio(std::atof(quota.c_str()), period) : kUnlimited;
}

// Two files; a quota of -1 is none.
double quota_v1(const std::string& group) {
  std::ifstream quota_file(group + "/cpu.cfs_quota_us"), period_file(group + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period ? ratio(quota, period) : kUnlimited;
}

// A quota binds all groups below it. Inside a container the path may name a group of the host that is not mounted here:
// groups without files are passed over, and the walk ends at the mount, which is the container's own group.
double least_quota(const std::string& mount, std::string path, double (*read)(const std::string& group)) {
  double least = kUnlimited;
  for (;;) {
    least = std::min(least, read(mount + path));
    if (path.empty()) return least;
    path.erase(std::min(path.find_last_of('/'), path.size()));
  }
}

bool has_word(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

}  // namespace

int affinity_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(CPU_COUNT(&set), 1);
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);  // more CPUs than cpu_set_t holds
}

int quota_cpus(const std::string& root) {
  const std::string mount = root + "/sys/fs/cgroup";
  double least = kUnlimited;
  std::ifstream groups(root + "/proc/self/cgroup");  // lines "hierarchy:controllers:path"; v2 is "0::path"
  for (std::string line; std::getline(groups, line);) {
    std::istringstream fields(line);
    std::string hierarchy, controllers, path;
    std::getline(std::getline(fields, hierarchy, ':'), controllers, ':');
    std::getline(fields, path);
    if (path == "/") path.clear();
    if (controllers.empty()) {
      least = std::min(least, least_quota(mount, path, quota_v2));
    } else if (has_word(controllers, "cpu")) {
      least = std::min(least, least_quota(mount + "/cpu", path, quota_v1));
    }
  }
  return least == kUnlimited ? 0 : static_cast<int>(std::min<double>(std::ceil(least), kMaxThreads));
}

int default_num_threads() {
  int threads = affinity_cpus();
  if (const int quota = quota_cpus(); quota > 0) threads = std::min(threads, quota);
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    // The first of a list "4,2" is the outermost level; what is no number above 0 is ignored, as OpenMP does.
    if (const long wanted = std::strtol(text, nullptr, 10); wanted > 0)
      threads = static_cast<int>(std::min<long>(threads, wanted));
  }
  return std::min(threads, kMaxThreads);
}

int current_cpu() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

void leave_cpu([[maybe_unused]] int cpu) {
#if defined(__linux__)
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2) return;
  cpu_set_t others = all;
  CPU_CLR(static_cast<std::size_t>(cpu), &others);
  if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof all, &all);
#endif
}

}  // namespace nnative
