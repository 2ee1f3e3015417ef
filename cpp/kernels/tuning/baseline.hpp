// x86-64-v2 or plain ARMv8: 16 vector registers of 16 bytes.
#pragma once

namespace nnative::tuning {

constexpr int kVectorBytes = 16;
constexpr int kNarrowBytes = kVectorBytes;
// The register tile of the matrix product: kTileRows broadcast operands by kTileVectors vectors.
constexpr int kTileRows = 4;
constexpr int kTileVectors = 2;

// Tiles that meet a panel one after the other where it stays in the first-level cache.
constexpr int kTilesAtOnce = 1;

// Bytes of C up to which all tiles of a panel follow each other where their rows are copied: each writes rows of its
// own, which lie on as many pages.
constexpr int kTogetherBytes = 1 << 30;

// Rows of B as many bytes apart, or a multiple, share so few sets of the first-level cache that panels are packed.
constexpr int kCrowdedRows = 4096;

// Whether tiles copy for later on the way, which was measured with AVX only, and how many of their steps ahead
// a panel is called.
constexpr int kPanelAhead = 32;
// And how many steps ahead of their own, into the first-level cache, tiles of large products call it; 0 for never.
constexpr int kPanelNear = 0;
constexpr bool kCarries = false;

// Steps that are packed together, and bytes of the packed panels that are walked together where not all of them fit
// into twice as many.
constexpr int kBlockSteps = 512;
constexpr int kBlockBytes = 131072;

}  // namespace nnative::tuning
