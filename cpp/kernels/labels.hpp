// Class indices of any integer type, and what is no class.
#pragma once

#include "kernels/loss.hpp"
#include "kernels/simd.hpp"

namespace nnative {
namespace {

// Calls f with a null pointer to the type of the indices.
template <class F>
[[gnu::always_inline]] inline auto with_index(IndexType type, F f) {
  switch (type) {
    case IndexType::kInt8:
      return f(static_cast<const std::int8_t*>(nullptr));
    case IndexType::kUint8:
      return f(static_cast<const std::uint8_t*>(nullptr));
    case IndexType::kInt16:
      return f(static_cast<const std::int16_t*>(nullptr));
    case IndexType::kUint16:
      return f(static_cast<const std::uint16_t*>(nullptr));
    case IndexType::kInt32:
      return f(static_cast<const std::int32_t*>(nullptr));
    case IndexType::kUint32:
      return f(static_cast<const std::uint32_t*>(nullptr));
    case IndexType::kInt64:
      return f(static_cast<const std::int64_t*>(nullptr));
    default:
      return f(static_cast<const std::uint64_t*>(nullptr));
  }
}

[[gnu::always_inline]] inline Index raw_class(const void* target, IndexType type, Index n) {
  return with_index(type, [=]<class I>(const I*) { return static_cast<Index>(static_cast<const I*>(target)[n]); });
}

constexpr Index kIgnored = -2, kBad = -1;

// The class that an index names, kIgnored, or kBad when it is none of the C classes.
[[gnu::always_inline]] inline Index class_named(Index index, Index C, std::int64_t ignore) {
  const Index inside = (index >= 0) & (index < C) ? index : kBad;
  return index == ignore ? kIgnored : inside;
}

// The class of row n in the same way.
[[gnu::always_inline]] inline Index class_of(const void* target, IndexType type, Index n, Index C,
                                             std::int64_t ignore) {
  return class_named(raw_class(target, type, n), C, ignore);
}

// Calls each(t) for the classes of a row of a multi-label target; false when one is no class.
template <class Each>
[[gnu::always_inline]] inline bool for_each_label(const std::int64_t* target, Index C, Each each) {
  for (Index j = 0; j < C && target[j] != -1; ++j) {
    if (target[j] < 0 || target[j] >= C) return false;
    each(target[j]);
  }
  return true;
}

}  // namespace
}  // namespace nnative
