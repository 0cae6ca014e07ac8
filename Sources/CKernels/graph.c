/// What a walk over a graph does with the lists of neighbors: numbers only, so one variant for all
/// processors.
#include "variant.h"

/// The low bits of an entry are the neighbor's slot; the highest one is the owner's own mark.
static const uint32_t slot_mask = 0x7fffffff;

/// The slot of an entry, at any alignment.
static inline uint32_t slot_at(const void *list, size_t index) {
    uint32_t entry;
    memcpy(&entry, (const char *)list + index * sizeof(entry), sizeof(entry));
    return entry & slot_mask;
}

size_t kernels_unvisited(
    const void *list, size_t length, uint32_t bound, uint64_t *visited, uint32_t *out) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t slot = slot_at(list, i);
        if (slot >= bound) break;
        uint64_t bit = 1ull << (slot & 63);
        uint64_t word = visited[slot >> 6];
        visited[slot >> 6] = word | bit;
        out[count] = slot;
        count += (word & bit) == 0;
    }
    return count;
}

void kernels_prefetch_codes(
    const kernels_codes *codes, const void *list, size_t length, uint32_t bound, const uint64_t *visited) {
    const size_t bytes = codes->blocks * 32 + 8;
    for (size_t i = 0; i < length; i++) {
        const uint32_t slot = slot_at(list, i);
        if (slot >= bound) break;
        if (codes->is_one_page && bytes <= 128) {
            // To ask for what is there already costs less than to guess wrong whether it was visited.
            prefetch_bytes((uintptr_t)code_in_page(codes, slot), bytes);
            continue;
        }
        if ((visited[slot >> 6] >> (slot & 63) & 1) != 0) continue;
        prefetch_bytes((uintptr_t)code_of(codes, slot), bytes);
    }
}

size_t kernels_unvisited_matching(
    const void *list, size_t length, uint32_t bound, uint64_t *visited, const uint64_t *matching,
    uint32_t *out, uint32_t *others, size_t *others_count) {
    size_t count = 0;
    size_t other_count = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t slot = slot_at(list, i);
        if (slot >= bound) break;
        uint64_t bit = 1ull << (slot & 63);
        uint64_t word = visited[slot >> 6];
        if ((word & bit) != 0) continue;
        visited[slot >> 6] = word | bit;
        if ((matching[slot >> 6] & bit) != 0) {
            out[count++] = slot;
        } else {
            others[other_count++] = slot;
        }
    }
    *others_count = other_count;
    return count;
}

size_t kernels_unvisited_only_matching(
    const void *list, size_t length, uint32_t bound, uint64_t *visited, const uint64_t *matching,
    uint32_t *out) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t slot = slot_at(list, i);
        if (slot >= bound) break;
        uint64_t bit = 1ull << (slot & 63);
        uint64_t word = visited[slot >> 6];
        uint64_t is_new = matching[slot >> 6] & bit & ~word;
        visited[slot >> 6] = word | is_new;
        out[count] = slot;
        count += is_new != 0;
    }
    return count;
}

size_t kernels_match(
    const void *passages, size_t count, const uint64_t *filter, size_t words_count, uint64_t *out,
    size_t first_bit) {
    const size_t end = words_count * 64;
    size_t total = 0;
    for (size_t first = 0; first < count; first += 16) {
        uint32_t p[16];
        const size_t n = count - first < 16 ? count - first : 16;
        memcpy(p, (const char *)passages + first * sizeof(uint32_t), n * sizeof(uint32_t));
        uint64_t bits = 0;
        uint32_t apart = 0;
        for (size_t i = 0; i < n; i++) apart |= p[i] ^ (p[0] + (uint32_t)i);
        if (apart == 0 && (size_t)p[0] + 16 <= end) {
            // Consecutive passages are consecutive bits, in one word or two.
            const uint32_t shift = p[0] & 63;
            bits = filter[p[0] >> 6] >> shift;
            if (shift > 48) bits |= filter[(p[0] >> 6) + 1] << (64 - shift);
            bits &= n == 16 ? 0xffff : (1u << n) - 1;
        } else {
            for (size_t i = 0; i < n; i++) {
                if (p[i] < end) bits |= (filter[p[i] >> 6] >> (p[i] & 63) & 1) << i;
            }
        }
        const size_t bit = first_bit + first;
        out[bit >> 6] |= bits << (bit & 63);
        total += (size_t)__builtin_popcountll(bits);
    }
    return total;
}

size_t kernels_match_run(
    uint32_t first, size_t count, const uint64_t *filter, size_t words_count, uint64_t *out, size_t first_bit) {
    size_t total = 0;
    for (size_t i = 0; i < count;) {
        const size_t from = (size_t)first + i, to = first_bit + i;
        const size_t word = from >> 6, shift = from & 63, place = to & 63;
        if (word >= words_count) break;
        // As many bits as the word of `out` has room for.
        const size_t n = count - i < 64 - place ? count - i : 64 - place;
        uint64_t bits = filter[word] >> shift;
        if (shift != 0 && word + 1 < words_count) bits |= filter[word + 1] << (64 - shift);
        if (n < 64) bits &= (1ull << n) - 1;
        out[to >> 6] |= bits << place;
        total += (size_t)__builtin_popcountll(bits);
        i += n;
    }
    return total;
}

int kernels_is_run(const void *passages, size_t count) {
    uint32_t first, apart = 0;
    if (count == 0) return 1;
    memcpy(&first, passages, sizeof(first));
    for (size_t i = 0; i < count; i++) {
        uint32_t passage;
        memcpy(&passage, (const char *)passages + i * sizeof(passage), sizeof(passage));
        apart |= passage ^ (first + (uint32_t)i);
    }
    return apart == 0;
}
