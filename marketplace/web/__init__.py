"""The pages. One folder a desk; a desk never imports a desk."""
