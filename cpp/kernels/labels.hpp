// Class indices of any integer type, and what is no class.
#pragma once

#include "kernels/loss.hpp"
#include "kernels/simd.hpp"

namespace nnative {
namespace {

template <class I>
[[gnu::always_inline]] inline Index read_index(const void* target, Index n) {
  return static_cast<Index>(static_cast<const I*>(target)[n]);
}

[[gnu::always_inline]] inline Index raw_class(const void* target, IndexType type, Index n) {
  switch (type) {
    case IndexType::kInt8:
      return read_index<std::int8_t>(target, n);
    case IndexType::kUint8:
      return read_index<std::uint8_t>(target, n);
    case IndexType::kInt16:
      return read_index<std::int16_t>(target, n);
    case IndexType::kUint16:
      return read_index<std::uint16_t>(target, n);
    case IndexType::kInt32:
      return read_index<std::int32_t>(target, n);
    case IndexType::kUint32:
      return read_index<std::uint32_t>(target, n);
    case IndexType::kInt64:
      return read_index<std::int64_t>(target, n);
    case IndexType::kUint64:
      return read_index<std::uint64_t>(target, n);
  }
  return -1;
}

constexpr Index kIgnored = -2, kBad = -1;

// The class of row n, kIgnored, or kBad when it is none of the C classes.
[[gnu::always_inline]] inline Index class_of(const void* target, IndexType type, Index n, Index C,
                                             std::int64_t ignore) {
  const Index index = raw_class(target, type, n);
  if (index == ignore) return kIgnored;
  return index >= 0 && index < C ? index : kBad;
}

// Notes a row of no class for whoever asks after the launch; which one of several does not matter.
inline void note_bad(std::int64_t* bad, Index n, std::int64_t label) {
  if (bad == nullptr) return;
  __atomic_store_n(&bad[1], label, __ATOMIC_RELAXED);
  __atomic_store_n(&bad[0], n + 1, __ATOMIC_RELAXED);
}

// Calls each(t) for the classes of a row of a multi-label target; returns −1, or what is no class among them.
template <class Each>
[[gnu::always_inline]] inline std::int64_t for_each_label(const std::int64_t* target, Index C, Each each) {
  for (Index j = 0; j < C && target[j] != -1; ++j) {
    if (target[j] < 0 || target[j] >= C) return target[j];
    each(target[j]);
  }
  return -1;
}

}  // namespace
}  // namespace nnative
