//! An NVIDIA GPU: every operation in its plain form, which the library compiles for the device.

use std::panic::catch_unwind;
use std::path::Path;

use burn_autodiff::Autodiff;
use burn_cuda::CudaDevice;
use burn_tensor::Tensor;

use super::Device;

/// Learns on an NVIDIA GPU.
pub(crate) type Cuda = Autodiff<burn_cuda::Cuda>;

impl Device for Cuda {}

/// The first GPU, if one answers.
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
