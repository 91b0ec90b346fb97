//! NVIDIA GPUs: every operation in its plain form, which the library compiles for the device.
//!
//! Only dropout differs: the device draws its own numbers, because copying those of the CPU would
//! take longer than a layer. They follow from the same seeds, so that a resumed run draws them
//! again.

use std::panic::catch_unwind;
use std::path::Path;

use burn_autodiff::Autodiff;
use burn_cuda::CudaDevice;
use burn_tensor::backend::Backend as _;
use burn_tensor::{Distribution, Tensor};

use super::{Attention, Device, Dropout, composite};

/// Trains on an NVIDIA GPU.
pub(crate) type Cuda = Autodiff<burn_cuda::Cuda>;

impl Device for Cuda {
    fn dropout(x: Tensor<Self, 2>, dropout: Dropout) -> Tensor<Self, 2> {
        match dropout.rate {
            0.0 => x,
            _ => {
                let kept = kept(x.dims(), dropout, &x.device());
                x * kept
            }
        }
    }

    fn attend(input: Attention<Self>) -> Tensor<Self, 2> {
        composite::attention(input, |spans, heads, dropout, device| {
            kept([spans.count(), heads, spans.longest(), spans.longest()], dropout, device)
        })
    }
}

/// The dropout factors: 0 for dropped values.
fn kept<const N: usize>(
    shape: [usize; N],
    dropout: Dropout,
    device: &CudaDevice,
) -> Tensor<Cuda, N> {
    Cuda::seed(device, dropout.seed.into());
    let stays = 1.0 - f64::from(dropout.rate);
    Tensor::random(shape, Distribution::Bernoulli(stays), device) / stays
}

/// The first GPU, if there is one.
pub(crate) fn cuda_device() -> Result<CudaDevice, String> {
    if cfg!(target_os = "linux") && !Path::new("/dev/nvidiactl").exists() {
        return Err("there is no NVIDIA driver: /dev/nvidiactl is absent".to_owned());
    }
    let device = CudaDevice::default();
    // the library panics where a driver or its compiler is missing
    let asked = device.clone();
    let answer = catch_unwind(move || Tensor::<Cuda, 1>::ones([1], &asked).into_data());
    match answer {
        Ok(_) => Ok(device),
        Err(_) => Err("its driver, NVRTC or CUDA's headers cannot be used".to_owned()),
    }
}
