//! Kernels for AVX2 and AVX-512, and large pages for weights: one of the modules with `unsafe`
//! code.
//!
//! A block of outputs, a few rows by a few panels, stays in registers while a kernel iterates over
//! the depth: each step loads a line of each panel and broadcasts one element of each row. Every
//! block size is a separate function, so that all loops over rows and panels unroll.
//!
//! The functions at the top are safe: they check that the CPU has the instructions and that the
//! slices cover every access by pointer.

#[cfg(target_arch = "x86_64")]
pub(super) use self::here::*;
#[cfg(not(target_arch = "x86_64"))]
pub(super) use self::nowhere::*;

/// Other CPUs report none of these instructions, so these stubs are never called.
#[cfg(not(target_arch = "x86_64"))]
mod nowhere {
    use std::mem::MaybeUninit;

    pub(in crate::encoder) use super::super::portable::{
        gelu as avx2_gelu, gelu as avx512_gelu, gelu_tanh as avx2_gelu_tanh,
        gelu_tanh as avx512_gelu_tanh, interleave as avx512_interleave,
        layer_norm as avx2_layer_norm, layer_norm as avx512_layer_norm, multiply as avx2,
        multiply as avx512, multiply as avx512_bf16, softmax as avx2_softmax,
        softmax as avx512_softmax, to_pairs as avx512_to_pairs, transpose as avx512_transpose,
    };

    pub(in crate::encoder) fn ask_for_large_pages<T>(_memory: &mut [MaybeUninit<T>]) {}
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "instructions of the CPU, twins in portable.rs; one system call")]
mod here {
    use std::arch::asm;
    use std::arch::x86_64::*;
    use std::mem::MaybeUninit;

    use super::super::lines::{Pair, PanelLine, Product, WIDTH, parts};
    use super::super::portable::{self, Element};
    use super::super::{Norm, Rows, vector};
    use crate::cpu::{has_avx2, has_avx512, has_avx512_bf16};

    /// Asks Linux for pages of 2 MiB in unused memory, where they fit.
    ///
    /// A CPU caches the addresses of some 2,000 pages (TLB). With 4 KiB pages, that covers less
    /// than the weights of an encoder, and a miss costs twice as much in a virtual machine. Where
    /// the system has no such pages, nothing changes.
    pub(crate) fn ask_for_large_pages<T>(memory: &mut [MaybeUninit<T>]) {
        const MADVISE: usize = 28;
        const MADV_HUGEPAGE: usize = 14;
        const PAGE: usize = 2 << 20;
        let bytes = memory.as_ptr_range();
        let start = (bytes.start as usize).next_multiple_of(PAGE);
        let end = bytes.end as usize / PAGE * PAGE;
        if cfg!(not(target_os = "linux")) || cfg!(miri) || start >= end {
            return;
        }
        // SAFETY: the call changes no byte of the memory, which we own, only its page size;
        // `syscall` itself overwrites two registers.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") MADVISE => _,
                in("rdi") start,
                in("rsi") end - start,
                in("rdx") MADV_HUGEPAGE,
                lateout("rcx") _,
                lateout("r11") _,
                options(nostack),
            );
        }
    }

    pub(crate) fn avx2(product: &mut Product<'_, f32>) {
        assert!(has_avx2());
        // SAFETY: the CPU has the instructions of every function in the table.
        unsafe { walk(product, &AVX2) }
    }

    pub(crate) fn avx512(product: &mut Product<'_, f32>) {
        assert!(has_avx512());
        // SAFETY: the CPU has the instructions of every function in the table.
        unsafe { walk(product, &AVX512) }
    }

    pub(crate) fn avx512_bf16(product: &mut Product<'_, Pair>) {
        assert!(has_avx512_bf16());
        // SAFETY: the CPU has the instructions of every function in the table.
        unsafe { walk(product, &AVX512_BF16) }
    }

    /// The start of a block.
    struct Block<T> {
        left: *const T,
        left_stride: usize,
        lines: *const PanelLine<T>,
        /// A panel to prefetch meanwhile.
        ahead: *const PanelLine<T>,
        depth: usize,
        bias: *const f32,
        output: *mut f32,
        output_stride: usize,
        /// The number of columns in the last panel.
        last: usize,
    }

    type Kernel<T> = unsafe fn(&Block<T>);

    /// Block functions by number of rows, then of panels, each from one.
    type Table<T, const ROWS: usize, const PANELS: usize> = [[Kernel<T>; PANELS]; ROWS];

    const AVX2: Table<f32, 6, 1> = [
        [avx2_block::<1>],
        [avx2_block::<2>],
        [avx2_block::<3>],
        [avx2_block::<4>],
        [avx2_block::<5>],
        [avx2_block::<6>],
    ];

    const AVX512: Table<f32, 8, 3> = [
        [avx512_block::<1, 1>, avx512_block::<1, 2>, avx512_block::<1, 3>],
        [avx512_block::<2, 1>, avx512_block::<2, 2>, avx512_block::<2, 3>],
        [avx512_block::<3, 1>, avx512_block::<3, 2>, avx512_block::<3, 3>],
        [avx512_block::<4, 1>, avx512_block::<4, 2>, avx512_block::<4, 3>],
        [avx512_block::<5, 1>, avx512_block::<5, 2>, avx512_block::<5, 3>],
        [avx512_block::<6, 1>, avx512_block::<6, 2>, avx512_block::<6, 3>],
        [avx512_block::<7, 1>, avx512_block::<7, 2>, avx512_block::<7, 3>],
        [avx512_block::<8, 1>, avx512_block::<8, 2>, avx512_block::<8, 3>],
    ];

    const AVX512_BF16: Table<Pair, 8, 3> = [
        [bf16_block::<1, 1>, bf16_block::<1, 2>, bf16_block::<1, 3>],
        [bf16_block::<2, 1>, bf16_block::<2, 2>, bf16_block::<2, 3>],
        [bf16_block::<3, 1>, bf16_block::<3, 2>, bf16_block::<3, 3>],
        [bf16_block::<4, 1>, bf16_block::<4, 2>, bf16_block::<4, 3>],
        [bf16_block::<5, 1>, bf16_block::<5, 2>, bf16_block::<5, 3>],
        [bf16_block::<6, 1>, bf16_block::<6, 2>, bf16_block::<6, 3>],
        [bf16_block::<7, 1>, bf16_block::<7, 2>, bf16_block::<7, 3>],
        [bf16_block::<8, 1>, bf16_block::<8, 2>, bf16_block::<8, 3>],
    ];

    /// Splits a product into blocks: a few panels at a time, which stay in the cache for all rows.
    ///
    /// # Safety
    ///
    /// The CPU has the instructions of every function in the table.
    unsafe fn walk<T: Copy, const ROWS: usize, const PANELS: usize>(
        product: &mut Product<'_, T>,
        table: &Table<T, ROWS, PANELS>,
    ) {
        let Product { left_stride, rows, depth, columns, output_stride, .. } = *product;
        let panels = columns.div_ceil(WIDTH);
        assert!(rows > 0 && columns > 0 && left_stride >= depth);
        assert!(product.left.len() >= (rows - 1) * left_stride + depth);
        assert!(product.lines.len() >= panels * depth && product.bias.len() >= panels * WIDTH);
        assert!(product.output.len() >= (rows - 1) * output_stride + columns);
        for (panel, wide) in parts(panels, PANELS) {
            let last = columns - (panel + wide - 1) * WIDTH;
            for (index, (row, high)) in parts(rows, ROWS).enumerate() {
                let ahead = panel + wide + index;
                let ahead = if index < PANELS && ahead < panels { ahead } else { panel };
                // SAFETY: row + high <= rows and panel + wide <= panels, and the slices were
                // checked to hold all rows and panels; `last` keeps the writes inside of rows.
                unsafe {
                    table[high - 1][wide - 1](&Block {
                        left: product.left.as_ptr().add(row * left_stride),
                        left_stride,
                        lines: product.lines.as_ptr().add(panel * depth),
                        ahead: product.lines.as_ptr().add(ahead * depth),
                        depth,
                        bias: product.bias.as_ptr().add(panel * WIDTH),
                        output: product
                            .output
                            .as_mut_ptr()
                            .add(row * output_stride + panel * WIDTH),
                        output_stride,
                        last: last.min(WIDTH),
                    });
                }
            }
        }
    }

    /// # Safety
    ///
    /// `walk` made the block, and the CPU has AVX-512.
    #[target_feature(enable = "avx512f")]
    unsafe fn avx512_block<const R: usize, const P: usize>(block: &Block<f32>) {
        // SAFETY: `walk` checked that R rows, P panels and their outputs are there.
        unsafe {
            let bias: [__m512; P] =
                std::array::from_fn(|panel| _mm512_loadu_ps(block.bias.add(panel * WIDTH)));
            let mut sums = [bias; R];
            for step in 0..block.depth {
                _mm_prefetch::<_MM_HINT_T1>(block.ahead.add(step).cast());
                let lines: [__m512; P] = std::array::from_fn(|panel| {
                    _mm512_load_ps(block.lines.add(panel * block.depth + step).cast())
                });
                for (row, sums) in sums.iter_mut().enumerate() {
                    let value = _mm512_set1_ps(*block.left.add(row * block.left_stride + step));
                    for (sum, line) in sums.iter_mut().zip(lines) {
                        *sum = _mm512_fmadd_ps(value, line, *sum);
                    }
                }
            }
            store(block, &sums);
        }
    }

    /// # Safety
    ///
    /// `walk` made the block, and the CPU has AVX-512 with BF16.
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn bf16_block<const R: usize, const P: usize>(block: &Block<Pair>) {
        // SAFETY: `walk` checked that R rows, P panels and their outputs are there.
        unsafe {
            let bias: [__m512; P] =
                std::array::from_fn(|panel| _mm512_loadu_ps(block.bias.add(panel * WIDTH)));
            let mut sums = [bias; R];
            for step in 0..block.depth {
                _mm_prefetch::<_MM_HINT_T1>(block.ahead.add(step).cast());
                let lines: [__m512bh; P] = std::array::from_fn(|panel| {
                    let line = block.lines.add(panel * block.depth + step);
                    std::mem::transmute(_mm512_load_si512(line.cast()))
                });
                for (row, sums) in sums.iter_mut().enumerate() {
                    let pair = (*block.left.add(row * block.left_stride + step)).0;
                    let pairs: __m512bh =
                        std::mem::transmute(_mm512_set1_epi32(pair.cast_signed()));
                    for (sum, line) in sums.iter_mut().zip(lines) {
                        *sum = _mm512_dpbf16_ps(*sum, pairs, line);
                    }
                }
            }
            store(block, &sums);
        }
    }

    /// # Safety
    ///
    /// `walk` made the block, and the CPU has AVX-512.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn store<T, const R: usize, const P: usize>(block: &Block<T>, sums: &[[__m512; P]; R]) {
        let mask = 0xffff_u16 >> (WIDTH - block.last);
        for (row, sums) in sums.iter().enumerate() {
            for (panel, &sum) in sums.iter().enumerate() {
                // SAFETY: the mask keeps the last panel inside of the row.
                unsafe {
                    let output = block.output.add(row * block.output_stride + panel * WIDTH);
                    let mask = if panel + 1 == P { mask } else { 0xffff };
                    _mm512_mask_storeu_ps(output, mask, sum);
                }
            }
        }
    }

    /// # Safety
    ///
    /// `walk` made the block, and the CPU has AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2_block<const R: usize>(block: &Block<f32>) {
        // SAFETY: `walk` checked that R rows, one panel and their outputs are there.
        unsafe {
            let bias = [_mm256_loadu_ps(block.bias), _mm256_loadu_ps(block.bias.add(8))];
            let mut sums = [bias; R];
            for step in 0..block.depth {
                _mm_prefetch::<_MM_HINT_T1>(block.ahead.add(step).cast());
                let line: *const f32 = block.lines.add(step).cast();
                let halves = [_mm256_load_ps(line), _mm256_load_ps(line.add(8))];
                for (row, sums) in sums.iter_mut().enumerate() {
                    let value = _mm256_set1_ps(*block.left.add(row * block.left_stride + step));
                    for (sum, half) in sums.iter_mut().zip(halves) {
                        *sum = _mm256_fmadd_ps(value, half, *sum);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                let sums: [f32; WIDTH] = std::mem::transmute(*sums);
                let output = block.output.add(row * block.output_stride);
                std::ptr::copy_nonoverlapping(sums.as_ptr(), output, block.last);
            }
        }
    }

    /// Compiles a function of `vector.rs` with some instructions enabled.
    macro_rules! compile {
        ($name:ident, $has:ident, $features:tt, $plain:ident($($value:ident: $type:ty),*) $(-> $made:ty)?) => {
            pub(crate) fn $name($($value: $type),*) $(-> $made)? {
                #[target_feature(enable = $features)]
                fn compiled($($value: $type),*) $(-> $made)? {
                    vector::$plain::<true>($($value),*)
                }
                assert!($has());
                // SAFETY: the CPU has the instructions.
                unsafe { compiled($($value),*) }
            }
        };
    }

    /// Compiles all these functions for one kind of CPU.
    macro_rules! compile_all {
        ($has:ident, $features:tt, $gelu:ident, $gelu_tanh:ident, $softmax:ident, $layer_norm:ident) => {
            compile!($gelu, $has, $features, gelu(values: &mut [f32]));
            compile!($gelu_tanh, $has, $features, gelu_tanh(values: &mut [f32]));
            compile!($softmax, $has, $features, softmax(scores: &mut [f32], scale: f32) -> f32);
            compile!($layer_norm, $has, $features, layer_norm(values: &mut [f32], added: &[f32], norm: &Norm));
        };
    }

    compile_all!(has_avx2, "avx2,fma", avx2_gelu, avx2_gelu_tanh, avx2_softmax, avx2_layer_norm);
    compile_all!(
        has_avx512,
        "avx512f,avx512bw,avx512dq,avx512vl,fma",
        avx512_gelu,
        avx512_gelu_tanh,
        avx512_softmax,
        avx512_layer_norm
    );

    pub(crate) fn avx512_to_pairs(row: &[f32], pairs: &mut [Pair]) {
        /// # Safety
        ///
        /// There are 16 pairs for every 32 values.
        #[target_feature(enable = "avx512f,avx512bf16")]
        unsafe fn compiled(row: &[[f32; 32]], pairs: *mut Pair) {
            for (index, values) in row.iter().enumerate() {
                // SAFETY: 32 values are two registers; the caller guarantees the pairs.
                unsafe {
                    let low = _mm512_loadu_ps(values.as_ptr());
                    let high = _mm512_loadu_ps(values[16..].as_ptr());
                    let both: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
                    _mm512_storeu_si512(pairs.add(index * WIDTH).cast(), both);
                }
            }
        }
        assert!(has_avx512_bf16() && pairs.len() * 2 >= row.len());
        let (whole, rest) = row.as_chunks::<32>();
        // SAFETY: the CPU has the instructions, and there are pairs for all values.
        unsafe { compiled(whole, pairs.as_mut_ptr()) }
        let (left, pairs) = (rest, &mut pairs[whole.len() * WIDTH..]);
        let (mut last, mut made) = ([0.0; 32], [Pair::default(); WIDTH]);
        last[..left.len()].copy_from_slice(left);
        // SAFETY: the CPU has the instructions, and 16 pairs are made of 32 values. The same
        // instruction rounds the remainder too, because it treats subnormal numbers differently
        // from others.
        unsafe { compiled(&[last], made.as_mut_ptr()) }
        let (some, zeros) = pairs.split_at_mut(pairs.len().min(WIDTH));
        some.copy_from_slice(&made[..some.len()]);
        zeros.fill(Pair::default());
    }

    pub(crate) fn avx512_interleave(rows: Rows<'_>, lines: &mut [PanelLine<Pair>]) {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
        fn compiled(rows: Rows<'_>, lines: &mut [PanelLine<Pair>]) {
            for (step, line) in lines.iter_mut().enumerate().take(rows.count / 2) {
                let whole = "rows of 16";
                let first: &[f32; WIDTH] = rows.row(2 * step).try_into().expect(whole);
                let second: &[f32; WIDTH] = rows.row(2 * step + 1).try_into().expect(whole);
                for ((pair, &first), &second) in line.0.iter_mut().zip(first).zip(second) {
                    *pair = Pair::new(first, second);
                }
            }
        }
        assert!(has_avx512());
        if rows.width < WIDTH {
            return portable::interleave(rows, lines);
        }
        // SAFETY: the CPU has the instructions.
        unsafe { compiled(rows, lines) }
        if rows.count % 2 == 1 {
            let last = rows.count - 1;
            portable::interleave(rows.part(last, 1), &mut lines[last / 2..]);
        }
    }

    pub(crate) fn avx512_transpose<T: Element>(
        rows: &[T],
        stride: usize,
        count: usize,
        lines: &mut [PanelLine<T>],
    ) {
        assert!(has_avx512() && size_of::<T>() == 4);
        if count < WIDTH {
            return portable::transpose(rows, stride, count, lines);
        }
        let whole = lines.len() / WIDTH * WIDTH;
        assert!(rows.len() >= (WIDTH - 1) * stride + lines.len());
        for step in (0..whole).step_by(WIDTH) {
            // SAFETY: the CPU has the instructions; 16 rows and 16 lines are there from the step
            // on, and any 32 bits make a lane.
            unsafe {
                transpose_square(
                    rows.as_ptr().add(step).cast(),
                    stride,
                    lines[step..].as_mut_ptr().cast(),
                );
            }
        }
        portable::transpose(&rows[whole..], stride, count, &mut lines[whole..]);
    }

    /// Transposes 16 x 16 lanes: neighbours are swapped in ever larger blocks.
    ///
    /// # Safety
    ///
    /// The CPU has AVX-512; `rows` are 16 of 16 lanes, `lines` 16 aligned lines.
    #[target_feature(enable = "avx512f")]
    unsafe fn transpose_square(rows: *const f32, stride: usize, lines: *mut f32) {
        // SAFETY: the caller guarantees it.
        let a: [__m512; WIDTH] =
            std::array::from_fn(|row| unsafe { _mm512_loadu_ps(rows.add(row * stride)) });
        let b: [__m512; WIDTH] = std::array::from_fn(|i| {
            let (x, y) = (a[i & !1], a[i | 1]);
            if i & 1 == 0 { _mm512_unpacklo_ps(x, y) } else { _mm512_unpackhi_ps(x, y) }
        });
        // c[4g + j]: columns 4l + j of rows 4g to 4g + 3, for each quarter l
        let c: [__m512; WIDTH] = std::array::from_fn(|i| {
            let (low, column) = (i & !3 | (i & 2) >> 1, i & 1);
            let (x, y) = (_mm512_castps_pd(b[low]), _mm512_castps_pd(b[low + 2]));
            _mm512_castpd_ps(match column {
                0 => _mm512_unpacklo_pd(x, y),
                _ => _mm512_unpackhi_pd(x, y),
            })
        });
        for column in 0..4 {
            let [w, x, y, z] = std::array::from_fn(|group| c[4 * group + column]);
            let (even_low, even_high) = (
                _mm512_shuffle_f32x4::<0b10_00_10_00>(w, x),
                _mm512_shuffle_f32x4::<0b10_00_10_00>(y, z),
            );
            let (odd_low, odd_high) = (
                _mm512_shuffle_f32x4::<0b11_01_11_01>(w, x),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(y, z),
            );
            let quarters = [
                _mm512_shuffle_f32x4::<0b10_00_10_00>(even_low, even_high),
                _mm512_shuffle_f32x4::<0b10_00_10_00>(odd_low, odd_high),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(even_low, even_high),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(odd_low, odd_high),
            ];
            for (quarter, line) in quarters.into_iter().enumerate() {
                // SAFETY: the caller guarantees it.
                unsafe { _mm512_store_ps(lines.add((4 * quarter + column) * WIDTH), line) };
            }
        }
    }
}
