//! An Authentication Method whose every answer is the same.

use std::future::ready;

use squall_node::client::{Authentication, Beginning, Distrust, Exchange};
use squall_proto::{Binary, Text};

use crate::{
    driver::Wrong,
    words::{Words, text},
};

/// What `authentication_method` and `authentication_data` say.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    method: Text,
    data: Binary,
}

impl Told {
    pub(crate) fn new(method: &str, words: &Words) -> Result<Self, Wrong> {
        Ok(Self {
            method: Text::new(method)?,
            data: Binary::new(text(words, "authentication_data").to_owned())?,
        })
    }
}

impl Authentication for Told {
    fn method(&self) -> Text {
        self.method.clone()
    }

    fn begin(&self) -> Beginning<'_> {
        let exchange: Box<dyn Exchange> = Box::new(self.clone());
        Box::pin(ready(Ok(exchange)))
    }
}

impl Exchange for Told {
    fn first(&mut self) -> Result<Option<Binary>, Distrust> {
        Ok(Some(self.data.clone()))
    }

    fn answer(&mut self, _: Option<Binary>) -> Result<Option<Binary>, Distrust> {
        Ok(Some(self.data.clone()))
    }

    fn finish(&mut self, _: Option<Binary>) -> Result<(), Distrust> {
        Ok(())
    }
}
