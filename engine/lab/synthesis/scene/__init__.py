"""A place under surveillance: camera, ground, light, props, sensor."""
